"""Every problem of every host that would make a deploy fail, each with what to do."""

import pytest
import sites

from deployer import errors
from deployer.desired import desired_state
from deployer.model.facts import Observation
from deployer.model.names import unit_name
from deployer.model.service import Service
from deployer.model.state import HostState
from deployer.model.steps import Plan, StartUnit, Wave, WriteFile
from deployer.observed.observe import SiteObservation
from deployer.plan import host_steps
from deployer.preflight import host_checks


def problems(inventory=None, gone=(), **changed):
    """What preflight says of hosts that are fine but for the facts changed, by host."""
    inventory = inventory or sites.an_inventory()
    observed = sites.bare(inventory)
    desired = desired_state.desired_states(inventory, observed).states
    observed |= {name: Observation(observed[name].state, facts) for name, facts in changed.items()}
    bad = {name: errors.HostUnreachable(name, "no answer", hint="Is sshd up?") for name in gone}
    return host_checks.problems(
        inventory, SiteObservation({name: each for name, each in observed.items() if name not in gone}, bad), desired
    )


def problem(**changed):
    (only,) = problems(**changed)
    return only


def facts_without(what, **how):
    facts = sites.facts(**how)
    return sites.facts(**how, paths={name: paths for name, paths in facts.paths.items() if name != what})


def test_hosts_that_have_all_they_need_are_no_problem():
    assert problems() == ()


def test_host_that_is_gone_is_reported_with_its_hint_and_the_others_are_checked():
    assert problems(gone=("hostB",), hostC=sites.facts(systemd=False)) == (
        "hostB: no answer: Is sshd up?",
        "hostC: systemd is not running: heat-scaleout needs it to run processes.",
    )


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"python": (3, 7, 9)}, ("Python 3.7.9 is too old", "3.8")),
        ({"systemd": False}, ("systemd",)),
        ({"skew": 42.0}, ("+42 s off", "chrony")),
        ({"skew": -42.0}, ("-42 s off",)),
        ({"free": {"/var": 5 * 2**20}}, ("/var has only 5 MiB free", "100 MiB")),
        ({"installed": ()}, ("Heat is not installed below /opt/heat", "heat.prefix")),
        ({"installed": sites.HEAT_24}, ("Heat is 24.1.2, but hostA has 27.0.1", "same release")),
        ({"accounts": {"haproxy": 1, "heat": None}}, ("user heat does not exist",)),
    ],
)
def test_problem_of_a_host_is_reported_with_its_name_and_what_to_do(facts, words):
    reported = problem(hostB=sites.facts(**facts))

    assert reported.startswith("hostB: ")
    assert [word for word in words if word not in reported] == []


@pytest.mark.parametrize("unit", [unit_name(Service.API, 8004), "heat-scaleout-api@.service"])
def test_unit_that_is_masked_and_wanted_is_a_problem(unit):
    assert problem(hostB=sites.facts(masked=(unit,))) == (
        f"hostB: {unit} is masked: `systemctl unmask {unit}`, or take it out of the inventory."
    )


@pytest.mark.parametrize("unit", ["heat-engine.service", "openstack-heat-api-cfn.service"])
def test_service_of_a_package_that_would_come_back_on_a_node_is_a_problem(unit):
    reported = problem(hostB=sites.facts(package_units=(unit,)))

    assert reported.startswith(f"hostB: {unit} of Heat's package runs there, or starts with the host")
    assert f"`systemctl disable --now {unit}`" in reported


def test_services_of_the_source_are_what_is_scaled_out():
    assert problems(hostA=sites.facts(package_units=("heat-engine.service",))) == ()


def test_masked_unit_that_nobody_wants_is_no_problem():
    assert problems(hostB=sites.facts(masked=(unit_name(Service.API, 8999),))) == ()


def test_unit_that_somebody_changed_by_a_drop_in_is_a_warning_that_names_the_file():
    unit, path = unit_name(Service.API, 8004), "/etc/systemd/system/heat-scaleout-api@8004.service.d/override.conf"
    observed = {"hostB": Observation(HostState(), sites.facts(drop_ins={unit: (path,)}))}

    (warning,) = host_checks.warnings(observed)

    assert warning == f"hostB: {unit} is also what {path} says: a deploy leaves that as it is"


def test_problems_of_all_hosts_come_at_once():
    reported = problems(hostA=sites.facts(systemd=False), hostB=sites.facts(systemd=False, skew=99.0))

    assert [each.split(":")[0] for each in reported] == ["hostA", "hostB", "hostB"]


def test_heat_without_programs_needs_uwsgi():
    assert "needs uWSGI" in problem(hostB=facts_without("uwsgi"))


@pytest.mark.parametrize(
    ("launcher", "installed", "words"),
    [
        ("heat-api", sites.HEAT_27, "Heat 27.0.1 has no heat-api program: set `heat.launcher: uwsgi`"),
        ("uwsgi", sites.HEAT_24, "Heat 24.1.2 needs uWSGI"),
        ("uwsgi", ("openstack_heat-22.0.0.dist-info", "uwsgi"), "Heat 22.0.0 has no WSGI modules"),
        (
            "auto",
            ("openstack_heat-22.0.0.dist-info",),
            "Heat 22.0.0 has no WSGI modules: install its heat-api programs",
        ),
    ],
)
def test_launcher_that_a_host_cannot_have_is_reported(launcher, installed, words):
    inventory = sites.an_inventory(heat=f"launcher: {launcher}", hostC="")
    observed = sites.bare(inventory, installed=installed)
    desired = desired_state.desired_states(sites.an_inventory(heat="launcher: uwsgi", hostC=""), observed).states

    (reported,) = host_checks.problems(inventory, SiteObservation(observed, {}), desired)

    assert words in reported


def test_logins_are_tried_where_a_heat_conf_is_to_be_written_and_nowhere_else():
    write = WriteFile("hostB", sites.a_file())
    other = WriteFile("hostC", sites.a_file("/etc/heat/api-paste.ini"))
    plan = Plan((Wave("write files", (write, other, StartUnit("hostA", "x"))),), ("hostA", "hostB", "hostC"))

    assert host_checks.with_new_logins(sites.an_inventory(), plan) == ("hostB",)


def test_heat_with_programs_needs_no_uwsgi():
    fine = sites.facts(sites.HEAT_24)

    assert problems(hostA=fine, hostB=fine, hostC=fine) == ()


def test_host_without_a_process_of_heat_needs_none():
    assert problems(sites.an_inventory(hostD="{address: 10.0.0.4}"), hostD=sites.facts(installed=(), accounts={})) == ()


def test_proxys_host_needs_haproxy_and_its_user():
    assert "/usr/sbin/haproxy does not exist" in problem(hostA=facts_without("haproxy"))
    assert "user haproxy does not exist" in problem(hostA=sites.facts(accounts={"heat": 1, "haproxy": None}))


def test_other_hosts_need_no_haproxy():
    assert problems(hostB=facts_without("haproxy", accounts={"heat": 1, "haproxy": None})) == ()


def test_port_that_a_foreign_process_holds_is_refused_by_name():
    nginx = sites.a_listener(8004, "0.0.0.0", "nginx", pid=9, unit="nginx.service")

    reported = problem(hostB=sites.facts(listeners=(nginx,)))

    assert "hostB: 10.0.0.2:8004 is in use by nginx (pid 9 of nginx.service)" in reported


def test_port_that_its_own_unit_holds_is_no_problem():
    own = sites.a_listener(8004, "10.0.0.2", "uwsgi", unit=unit_name(Service.API, 8004))

    assert problems(hostB=sites.facts(listeners=(own,))) == ()


def test_port_that_a_unit_of_ours_leaves_in_this_plan_is_no_problem():
    stopping = sites.a_listener(8004, "10.0.0.2", "uwsgi", unit="heat-scaleout-proxy.service")

    assert problems(hostB=sites.facts(listeners=(stopping,))) == ()


def test_proxys_address_that_heats_api_holds_is_taken_over():
    own = sites.a_listener(8004, unit="heat-api.service")

    assert problems(hostA=sites.facts(listeners=(own,))) == ()


def test_proxys_address_that_a_foreign_process_holds_is_refused_by_name():
    nginx = sites.a_listener(8000, "0.0.0.0", "nginx", pid=9, unit="nginx.service", argv=("nginx", "password=canary"))

    reported = problem(hostA=sites.facts(listeners=(nginx,)))

    assert "the proxy needs 10.0.0.1:8000, which is in use by nginx (pid 9 of nginx.service)" in reported
    assert "canary" not in reported


def test_proxys_address_that_the_proxy_holds_is_no_problem():
    own = sites.a_listener(8004, program="haproxy", unit=host_steps.PROXY)

    assert problems(hostA=sites.facts(listeners=(own,))) == ()


@pytest.mark.parametrize(
    ("program", "argv", "unit"),
    [
        (
            "heat-api",
            ("/usr/bin/python3", "/usr/bin/heat-api", "--config-file=/etc/heat/heat.conf"),
            "heat-api.service",
        ),
        ("heat-api-cfn", ("/usr/bin/python3", "/opt/stack/heat/bin/heat-api-cfn"), ""),
        ("uwsgi", ("/usr/bin/uwsgi", "--ini", "/etc/heat/heat-api-uwsgi.ini"), "devstack@h-api.service"),
        ("uwsgi", ("uwsgi", "--procname-prefix", "x"), "devstack@h-api-cfn.service"),
        ("uwsgi", ("/opt/heat/bin/uwsgi", "--module", "heat.wsgi.api:application"), ""),
        ("apache2", ("/usr/sbin/apache2", "-DFOREGROUND", "-f", "/etc/apache2/heat_api.conf"), "apache2.service"),
        ("heat-wsgi-api", ("python3", "/usr/bin/heat-wsgi-api"), ""),
    ],
)
def test_heats_api_is_recognised_however_it_was_started(program, argv, unit):
    assert host_checks.is_heat_api(sites.a_listener(program=program, argv=argv, unit=unit))


@pytest.mark.parametrize(
    ("argv", "unit"),
    [
        (("nginx", "-g", "daemon off;"), "nginx.service"),
        (("/usr/bin/uwsgi", "--ini", "/etc/nova/nova-api-uwsgi.ini"), "devstack@n-api.service"),
        (("/usr/bin/python3", "/usr/bin/heat-api"), "docker-0123.scope"),
        (("/usr/bin/python3", "/usr/bin/heat-api"), "libpod-0123.scope"),
        ((), ""),
    ],
)
def test_foreign_process_and_process_of_a_container_are_no_api_to_take_over(argv, unit):
    assert not host_checks.is_heat_api(sites.a_listener(program="x", argv=argv, unit=unit))


def test_nothing_is_asked_of_a_host_that_gets_nothing():
    inventory = sites.an_inventory(hostD="{address: 10.0.0.4}")
    observed = sites.bare(inventory) | {"hostD": Observation(HostState(), sites.facts(installed=()))}

    assert (
        host_checks.problems(
            inventory, SiteObservation(observed, {}), desired_state.desired_states(inventory, observed).states
        )
        == ()
    )
