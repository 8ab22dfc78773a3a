"""A host that leaves: refused where it would be forgotten, removed by its own command, from whatever is left of it."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import sites
from contract.fake_fleet import FakeFleet

from deployer import errors, pipeline
from deployer.cli.views import status_table
from deployer.inventory import inventory_file, reader
from deployer.model.events import Level
from deployer.model.purpose import Goal, Purpose
from deployer.model.run import Author
from deployer.model.steps import RolloutOptions
from deployer.plan.planned import Change

WITH, WITHOUT = sites.an_inventory_text(), sites.an_inventory_text(hostC="")
NODE = "api@8004, cfn@8000, engine@1, engine@2"
WORK = {"engine_id": "id-1", "host": "hostC-engine-1", "held": ["web/server (CREATE)"], "queues": ["q"]}


@dataclass
class Site:
    """A deployed site, and the file of its inventory."""

    fleet: FakeFleet
    path: Path

    def says(self, text):
        self.path.write_text(text)

    @property
    def text(self):
        return self.path.read_text()

    def change(self, **fields):
        file = inventory_file.read(self.path)
        return Change(file.inventory, author=Author("me", text=file.text), file=file, **fields)

    def plan(self):
        return pipeline.plan(self.change(), self.fleet).plan

    def deploy(self):
        return pipeline.deploy(self.change(), self.fleet, sites.yes)

    def remove(self, host="hostC", gone=False, accept=sites.yes, **options):
        goal = Goal(Purpose.REMOVE_HOST, host=host, is_gone=gone)
        change = self.change(goal=goal, options=RolloutOptions(**options))
        return pipeline.remove_host(change, change.file, self.fleet, accept)

    def hosts_asked(self):
        return {host for _, _, hosts in self.fleet.asked for host in hosts}


@pytest.fixture
def site(inventory, fleet, tmp_path):
    """The guide's three hosts as a deploy left them; what they did until then is forgotten."""
    site = Site(fleet, tmp_path / "site.yaml")
    site.says(WITH)
    assert site.deploy().exit_code == 0
    forget(fleet)
    return site


def forget(fleet):
    for host in fleet.hosts.values():
        host.done.clear()
    fleet.asked.clear()


def changed(fleet):
    """Whether any host did more than answer questions."""
    return any(step != "run" for steps in fleet.performed().values() for step in steps)


def stop_all(host):
    """The host is off: nothing of it reports to Heat any more."""
    for unit in host.units.values():
        unit.state = "inactive"


@pytest.mark.parametrize("command", [pipeline.deploy, pipeline.restart, pipeline.restore, pipeline.switch_traffic])
def test_command_is_refused_with_3_before_any_change_where_a_host_was_only_deleted_from_the_file(site, command):
    site.says(WITHOUT)

    with pytest.raises(errors.NotReady) as refused:
        command(site.change(), site.fleet, sites.yes)

    assert refused.value.problems == (f"hostC is no longer in the inventory, but runs {NODE}",)
    assert refused.value.exit_code == 3
    assert "`invoke remove-host HOST`" in refused.value.hint
    assert not changed(site.fleet)


def test_plan_is_refused_as_the_deploy(site):
    site.says(WITHOUT)

    with pytest.raises(errors.NotReady, match="hostC is no longer in the inventory"):
        site.plan()


def test_deleted_host_that_does_not_answer_is_refused_with_what_the_last_generation_has_there(site):
    site.says(WITHOUT)
    site.fleet.loses("hostC")

    with pytest.raises(errors.NotReady) as refused:
        site.deploy()

    assert refused.value.problems == (
        "hostC is no longer in the inventory and does not answer (connection refused); the last generation has "
        f"{NODE} there",
    )


def test_deleted_host_with_nothing_of_ours_left_is_not_missed(site):
    site.says(sites.an_inventory_text(hostC="{address: 10.0.0.3}"))
    assert site.deploy().exit_code == 0
    site.says(WITHOUT)

    assert site.deploy().exit_code == 0


def test_host_with_another_name_at_the_same_address_is_not_missed(site):
    site.says(sites.an_inventory_text(hostC="", hostD="{address: 10.0.0.3, api: 1, cfn: 1, engines: 2}"))
    site.fleet.hosts["hostD"] = site.fleet.hosts["hostC"]

    assert "hostD" in site.plan().hosts


def test_site_of_which_all_hosts_are_named_is_asked_no_more_than_before(site):
    site.says(f"# a comment\n{WITH}")

    site.plan()

    assert site.fleet.asked == [("observe", "observe", ("hostA", "hostB", "hostC"))]


@pytest.mark.parametrize("text", [WITH, WITHOUT], ids=["named", "deleted"])
def test_removed_host_is_drained_stopped_and_emptied_and_then_leaves_the_file(site, text):
    site.says(text)

    report = site.remove()

    done = [f"{step.host}: {step}" for step in report.applied.done]
    order = [
        "hostA: drain rest_api_proxy/hostC-8004",
        "hostA: reload heat-scaleout-proxy",
        "hostC: stop heat-scaleout-api@8004",
        "hostC: stop heat-scaleout-engine@2",
        "hostC: wait until heat-scaleout-engine@2",
        "hostC: remove /etc/heat/heat.conf",
        "hostC: remove the records",
    ]
    places = [next(at for at, step in enumerate(done) if step.startswith(each)) for each in order]
    assert (report.exit_code, places) == (0, sorted(places))
    host = site.fleet.hosts["hostC"]
    assert (host.running(), host.last_run, host.generations) == ({}, {}, {})
    assert not [path for path in host.files if "heat" in path]
    assert site.text == WITHOUT
    forget(site.fleet)
    assert site.plan().changes() == ()
    assert site.hosts_asked() == {"hostA", "hostB"}


def test_file_names_a_host_until_everything_of_it_is_done(site):
    seen = []
    ask = site.fleet.ask

    def spied(title, verb, requests, timeout, level=Level.INFO):
        seen.append((verb, site.text))
        return ask(title, verb, requests, timeout, level)

    site.fleet.ask = spied
    site.remove()

    assert {text for _, text in seen} == {WITH}
    assert seen[-1][0] == "close"


@pytest.mark.parametrize("text", [WITH, WITHOUT], ids=["named", "deleted"])
@pytest.mark.parametrize(
    ("host", "step"),
    [
        ("hostA", '"do": "set_server"'),
        ("hostA", '"do": "reload"'),
        ("hostC", '"disable"'),
        ("hostC", '"do": "remove"'),
        ("hostC", '"do": "remove_records"'),
    ],
)
def test_removal_that_failed_anywhere_goes_on_when_it_is_run_again(site, text, host, step):
    site.says(text)
    site.fleet.breaks(host, step)
    assert site.remove().exit_code == 5
    assert site.text == text
    if text == WITHOUT and step != '"do": "remove_records"':
        with pytest.raises(errors.NotReady, match="hostC"):
            site.deploy()
    site.fleet.mends()

    assert site.remove().exit_code == 0

    assert (site.fleet.hosts["hostC"].running(), site.text) == ({}, WITHOUT)
    assert site.plan().changes() == ()


@pytest.mark.parametrize("when", ["before", "after"])
def test_removal_that_was_killed_while_it_recorded_its_end_goes_on_when_it_is_run_again(site, when):
    def dies(name, moment, step):
        if (moment, step["do"]) == (when, "close"):
            raise KeyboardInterrupt

    site.fleet.moment = dies
    with pytest.raises(KeyboardInterrupt):
        site.remove()
    site.fleet.moment = lambda *_: None

    assert site.remove().exit_code == 0
    assert site.text == WITHOUT
    assert site.plan().changes() == ()


def test_file_that_somebody_changed_meanwhile_keeps_that_and_the_next_run_takes_the_host_out(site):
    def accept(planned, warnings):
        site.says(f"# mine\n{WITH}")
        return True

    with pytest.raises(errors.StalePlan) as stale:
        site.remove(accept=accept)

    assert "The host is removed from the site." in stale.value.hint
    assert site.text == f"# mine\n{WITH}"
    assert site.remove().exit_code == 0
    assert site.text == f"# mine\n{WITHOUT}"


def test_removal_that_is_not_accepted_changes_neither_host_nor_file(site):
    report = site.remove(accept=sites.no)

    assert (report.accepted, changed(site.fleet), site.text) == (False, False, WITH)


@pytest.mark.parametrize(
    ("host", "why"),
    [("hostA", "hostA is the source or the host of the proxy"), ("hostX", "the site has no host hostX")],
)
def test_host_that_cannot_be_removed_is_bad_input(site, host, why):
    with pytest.raises(errors.BadInput, match=why):
        site.remove(host)

    assert (changed(site.fleet), site.text) == (False, WITH)


def test_last_host_with_apis_is_removed_only_by_force(site):
    assert site.remove("hostB").exit_code == 0
    with pytest.raises(errors.BadInput, match="the site's last api"):
        site.remove("hostC")

    assert site.remove("hostC", force=True).exit_code == 0
    assert site.fleet.hosts["hostC"].running() == {}


def test_other_deleted_hosts_stay_known_while_one_after_the_other_is_removed(site):
    more = sites.an_inventory_text(hostD="{address: 10.0.0.4, engines: 1}")
    site.fleet.hosts |= sites.a_fleet(reader.parse(more, sites.PATH)).hosts | site.fleet.hosts
    site.fleet = FakeFleet(site.fleet.hosts)
    site.says(more)
    assert site.deploy().exit_code == 0
    site.says(WITHOUT)

    assert site.remove("hostC").exit_code == 0
    with pytest.raises(errors.NotReady) as refused:
        site.plan()
    assert refused.value.problems == ("hostD is no longer in the inventory, but runs engine@1",)

    assert site.remove("hostD").exit_code == 0
    assert site.plan().changes() == ()


@pytest.mark.parametrize("text", [WITH, WITHOUT], ids=["named", "deleted"])
def test_host_that_is_gone_is_not_asked_and_what_it_left_is_cleaned_up(site, text):
    site.says(text)
    stop_all(site.fleet.hosts["hostC"])
    site.fleet.loses("hostC")
    site.fleet.dead_workers = [WORK]

    report = site.remove(gone=True)

    assert (report.exit_code, site.text, site.fleet.dead_workers) == (0, WITHOUT, [])
    assert "hostC" not in site.hosts_asked()
    assert str(report.applied.done[-1]) == (
        "mark as failed web/server (CREATE), delete rows and queues of the engines of hostC (their host is gone)"
    )
    assert not any("hostC" in server for server in site.fleet.hosts["hostA"].servers())
    assert site.plan().changes() == ()


def test_host_whose_engines_are_alive_for_heat_is_not_gone(site):
    site.fleet.loses("hostC")

    with pytest.raises(errors.NotReady, match="hostC: Heat has hostC-engine-1, hostC-engine-2 as alive"):
        site.remove(gone=True)

    assert (changed(site.fleet), site.text) == (False, WITH)


def drift_of(site):
    shown = pipeline.status(reader.read(site.path), site.fleet)
    rows = {(line.unit, line.state, line.drift) for line in shown.lines if line.host == "hostC"}
    return shown, rows


@pytest.mark.parametrize("state", ["running", "unreachable"])
def test_status_shows_what_a_deleted_host_has_as_drift_whether_it_answers_or_not(site, state):
    site.says(WITHOUT)
    if state == "unreachable":
        site.fleet.loses("hostC")

    shown, rows = drift_of(site)

    units = list(site.fleet.hosts["hostC"].running())
    assert len(units) == 4
    assert rows == {(unit, state, "not in the inventory") for unit in units}
    assert not [line for line in shown.lines if line.host == "hostB" and line.drift]
    assert (shown.errors, shown.exit_code(counts_drift=True)) == ((), 8)
    assert "hostC is no longer in the inventory" in shown.warnings[0]
    assert status_table.ending(shown)[-1].startswith("A deploy would be refused: `invoke remove-host` first")


def test_status_of_a_site_whose_host_was_removed_has_no_drift(site):
    assert site.remove().exit_code == 0

    shown, rows = drift_of(site)

    assert (rows, shown.warnings, shown.exit_code(counts_drift=True)) == (set(), (), 0)


def test_preflight_names_a_host_that_was_only_deleted_from_the_file(site):
    site.says(WITHOUT)

    found = pipeline.preflight(reader.read(site.path), site.fleet)

    assert found.problems == (f"hostC is no longer in the inventory, but runs {NODE}",)
