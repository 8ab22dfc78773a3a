"""A step is data and a sentence."""

import sites

from deployer.model.probe import AnswersHttp, Program
from deployer.model.steps import (
    AwaitAnswer,
    AwaitReady,
    DrainServer,
    EnableUnit,
    Plan,
    ReadyServer,
    ReleasePort,
    ReloadSystemd,
    ReloadUnit,
    RemoveFile,
    RestartUnit,
    StartUnit,
    StopUnit,
    Wave,
    WriteFile,
)

UNIT = "heat-scaleout-api@8004.service"


def test_every_step_reads_as_a_sentence_with_its_reason():
    file = sites.a_file()
    steps = {
        WriteFile("hostB", file, because="new"): "write /etc/heat/heat.conf (new)",
        RemoveFile("hostB", file.path, because="no longer needed"): "remove /etc/heat/heat.conf (no longer needed)",
        ReloadSystemd("hostB", because="why"): "let systemd read its units again (why)",
        EnableUnit("hostB", UNIT, because="why"): f"enable {UNIT} (why)",
        StartUnit("hostB", UNIT, because="why"): f"start {UNIT} (why)",
        RestartUnit("hostB", UNIT, because="why"): f"restart {UNIT} (why)",
        ReloadUnit("hostB", UNIT, because="why"): f"reload {UNIT} (why)",
        StopUnit("hostB", UNIT, because="why"): f"stop {UNIT} (why)",
        DrainServer("hostA", "rest_api_proxy/hostB-8004", because="why"): "drain rest_api_proxy/hostB-8004 (why)",
        ReadyServer("hostA", "rest_api_proxy/hostB-8004", because="why"): "undrain rest_api_proxy/hostB-8004 (why)",
        AwaitReady("hostB", UNIT, AnswersHttp("10.0.0.2", 8004)): f"wait until {UNIT} is ready",
        AwaitAnswer("hostB", UNIT, Program(("python3", "-"))): f"wait until {UNIT} answers a client",
    }

    assert [str(step) for step in steps] == list(steps.values())


def test_take_over_names_the_unit_or_else_the_process():
    unit = ReleasePort("hostA", "10.0.0.1", 8004, sites.a_listener(unit="heat-api.service"), because="why")
    processes = {
        str(ReleasePort("hostA", "10.0.0.1", 8004, sites.a_listener(unit=unit), because="why"))
        for unit in ("", "session-7.scope", "ssh.service")
    }

    assert (str(unit), processes) == ("stop heat-api.service (why)", {"stop heat-api (pid 501) (why)"})


def test_wave_by_host_keeps_the_order_of_each_host():
    one, two, other = (StartUnit(host, unit) for host, unit in (("hostB", "1"), ("hostB", "2"), ("hostC", "3")))

    assert Wave("start", (one, other, two)).by_host() == {"hostB": (one, two), "hostC": (other,)}


def test_plan_lists_the_steps_of_all_waves_in_order():
    first, second = StartUnit("hostB", "1"), StartUnit("hostC", "2")

    assert list(Plan((Wave("a", (first,)), Wave("b", (second,))))) == [first, second]
