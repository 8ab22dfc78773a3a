"""Commands, faults and accidents in any order: whatever comes, files stay whole and one more run ends well.

`pytest tests/unit/test_walk.py --walk-steps 10000` walks that far and tells what it met.
"""

import sites
import walked_site
from fault_injection import BREAKS, FAILS, KILLED, LOST
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from walked_site import NONE, Fault

from deployer import errors, pipeline
from deployer.inventory import editor, scaling
from deployer.model.service import Service
from deployer.model.steps import OnError, RolloutOptions

NODES = st.sampled_from(["hostB", "hostC"])
HOSTS = st.sampled_from(["hostA", "hostB", "hostC"])
HEAT = st.sampled_from([Service.API, Service.CFN, Service.ENGINE])
ON_ERROR = st.sampled_from(list(OnError))
FAULT = st.sampled_from([KILLED, FAILS, BREAKS, LOST])
FAULTS = st.one_of(
    st.just(NONE),
    st.builds(Fault, FAULT, st.integers(1, 30), backwards=st.booleans()),
    st.builds(Fault, FAULT, st.integers(1, 130), backwards=st.booleans()),
    st.builds(Fault, gone=HOSTS),
)
HOW_FAR = 25  # steps of one walk of the few
USUAL = 100


class Walk(RuleBasedStateMachine):
    """One site and everything that is done to it."""

    @initialize(installed=st.sampled_from([sites.HEAT_27, sites.HEAT_24]), fault=FAULTS, on_error=ON_ERROR)
    def begin(self, installed, fault, on_error):
        self.site = walked_site.Site(installed)
        self.again(self.site.deploy(walked_site.START, fault, RolloutOptions(on_error=on_error)), True)

    def again(self, report, at_once):
        """After a failure, sometimes at once: the same inventory converges in one run."""
        if at_once and not self.site.ends_well(report):
            report = self.site.deploy(self.site.text, options=RolloutOptions(force=True))
            assert self.site.ends_well(report)
            walked_site.counts["converged in one run"] += 1

    def edited(self, edit, fault, on_error, at_once):
        try:
            text = edit(self.site.text)
        except errors.BadInput:
            return
        self.again(self.site.deploy(text, fault, RolloutOptions(on_error=on_error)), at_once)

    @rule(host=NODES, service=HEAT, fault=FAULTS, on_error=ON_ERROR, at_once=st.booleans())
    def add(self, host, service, fault, on_error, at_once):
        self.edited(lambda text: editor.with_more(text, host, service, 1), fault, on_error, at_once)

    @rule(host=NODES, service=HEAT, fault=FAULTS, on_error=ON_ERROR, at_once=st.booleans())
    def remove(self, host, service, fault, on_error, at_once):
        self.edited(lambda text: editor.with_fewer(text, host, service, 1), fault, on_error, at_once)

    @rule(
        flag=st.sampled_from(["engines", "api", "cfn", "workers"]),
        number=st.integers(1, 5),
        fault=FAULTS,
        on_error=ON_ERROR,
        at_once=st.booleans(),
    )
    def scale(self, flag, number, fault, on_error, at_once):
        request = scaling.request_of({flag: number})
        self.edited(
            lambda text: pipeline.scale(sites.a_file_of(text), request, self.site.fleet).text,
            fault,
            on_error,
            at_once,
        )

    @rule(host=NODES, drained=st.booleans(), fault=FAULTS, on_error=ON_ERROR, at_once=st.booleans())
    def drain(self, host, drained, fault, on_error, at_once):
        self.edited(lambda text: editor.with_drained(text, host, drained), fault, on_error, at_once)

    @rule(conf=st.sampled_from(walked_site.CONFS), fault=FAULTS, on_error=ON_ERROR, at_once=st.booleans())
    def change_source(self, conf, fault, on_error, at_once):
        self.site.changes_source(conf)
        self.again(self.site.deploy(self.site.text, fault, RolloutOptions(on_error=on_error)), at_once)

    @rule(fault=FAULTS, on_error=ON_ERROR, hosts=st.lists(HOSTS, max_size=3, unique=True))
    def deploy_or_restart(self, fault, on_error, hosts):
        self.again(self.site.deploy(self.site.text, fault, RolloutOptions(tuple(hosts), on_error=on_error)), True)

    @rule(data=st.data(), fault=FAULTS, on_error=ON_ERROR, at_once=st.booleans())
    def rollback(self, data, fault, on_error, at_once):
        known = pipeline.history(walked_site.parsed(self.site.text), self.site.fleet)
        if known:
            run = known[data.draw(st.sampled_from(sorted(known)))][0]
            self.again(self.site.rollback(run, fault, RolloutOptions(on_error=on_error)), at_once)

    @rule(fault=FAULTS, at_once=st.booleans())
    def restore(self, fault, at_once):
        self.site.own_engine(True)
        if not self.site.ends_well(self.site.restore(fault)) and at_once:
            assert self.site.ends_well(self.site.restore())
            walked_site.counts["restored in one run more"] += 1

    @precondition(lambda self: self.site.running())
    @rule(data=st.data(), again=st.booleans())
    def kill(self, data, again):
        self.site.kills(*data.draw(st.sampled_from(self.site.running())), again)

    @rule(host=HOSTS)
    def reboot(self, host):
        self.site.reboots(host)

    @precondition(lambda self: self.site.managed())
    @rule(data=st.data(), how=st.sampled_from(["text", "mode", "gone"]))
    def edit_by_hand(self, data, how):
        self.site.edits(*data.draw(st.sampled_from(self.site.managed())), how)

    @rule(runs=st.booleans())
    def own_engine(self, runs):
        self.site.own_engine(runs)

    @invariant()
    def holds(self):
        walked_site.counts["steps"] += 1
        if hasattr(self, "site"):
            self.site.holds()

    def teardown(self):
        if hasattr(self, "site"):
            self.again(None, True)
            self.site.own_engine(True)
            assert self.site.ends_well(self.site.restore())


def walk(steps, **how):
    """Walk about so many steps; what was met on the way is in walked_site.counts."""
    far = min(steps, 2 * HOW_FAR)
    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=max(1, steps // far),
            stateful_step_count=far,
            deadline=None,
            database=None,
            print_blob=True,
            phases=(Phase.generate,),
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            **how,
        ),
    )


def test_walk_that_is_always_the_same_keeps_its_promises():
    walk(150, derandomize=True)


def test_walk_that_is_another_each_time_keeps_its_promises(request, capsys):
    steps = request.config.getoption("--walk-steps")
    walked_site.counts.clear()
    walk(steps)
    with capsys.disabled():
        if steps > USUAL:
            print(*(f"{count:7} {what}" for what, count in walked_site.counts.most_common()), sep="\n")
    assert walked_site.counts["ended with 0"]
