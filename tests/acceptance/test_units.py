"""Every process the inventory asks for is a unit that runs, comes back after a reboot, and is locked in."""

import re

from expected import OURS

MOST_EXPOSURE = 4.0  # of 10, as systemd-analyze marks it
SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800, "month": 2629800}


def test_unit_asked_for_runs(process, look):
    """It runs."""
    unit = look.units[process.unit]
    assert (unit["ActiveState"], unit["SubState"]) == ("active", "running"), (
        f"systemd says {unit['LoadState']}, {unit['ActiveState']} ({unit['SubState']})"
    )


def test_unit_asked_for_is_enabled(process, look):
    """It comes back after a reboot."""
    state = look.units[process.unit]["UnitFileState"]
    assert state == "enabled", f"systemd says {state or 'nothing'} instead of enabled"


def test_unit_of_heat_runs_as_heats_user(heat_process, look):
    """It runs as Heat's user."""
    users = look.users.get(heat_process.unit, set())
    assert users == {heat_process.user}, f"{_run_as(users)}, not {heat_process.user}"


def test_proxy_serves_as_its_own_user(proxy, look):
    """It serves as its own user, beneath a master of root's."""
    users = look.users.get(proxy.unit, set())
    assert users - {"root"} == {proxy.user}, f"{_run_as(users)}, not {proxy.user}"


def test_unit_asked_for_is_in_the_slice(process, look):
    """It is in heat-scaleout.slice."""
    found = look.units[process.unit]["Slice"]
    assert found == "heat-scaleout.slice", f"it is in {found or 'none'}"


def test_unit_asked_for_is_sandboxed(process, look):
    """Its sandbox is marked 4.0 or better by systemd."""
    mark = look.exposure.get(process.unit)
    assert mark is not None, "systemd-analyze security does not know it"
    assert mark <= MOST_EXPOSURE, f"systemd-analyze security marks it {mark}"


def test_unit_of_heat_is_given_longer_than_heats_own_grace(heat_process, look):
    """It is given longer to stop than Heat gives itself."""
    grace = look.heat["grace"] or float("inf")  # 0 is Heat's word for "without end"
    limit = _seconds(look.units[heat_process.unit]["TimeoutStopUSec"])
    enough = limit > grace or limit == float("inf")
    assert enough, f"systemd kills it after {limit:.0f} s, Heat gives itself {grace:.0f} s"


def test_host_runs_only_units_asked_for(node, look):
    """No other unit of heat-scaleout runs."""
    wanted = {each.unit for each in node.processes}
    running = {name for name, unit in look.units.items() if unit["ActiveState"] in ("active", "activating")}
    others = {name for name in running - wanted if name.startswith(OURS)}
    assert not others, f"not in the inventory: {', '.join(sorted(others))}"


def _seconds(text: str) -> float:
    """A time span as systemd prints it, such as `1min 30s` or `infinity`."""
    if text == "infinity":
        return float("inf")
    return sum(float(number) * SECONDS[unit] for number, unit in re.findall(r"([0-9.]+)([a-z]+)", text))


def _run_as(users: set[str]) -> str:
    return f"its processes run as {', '.join(sorted(users))}" if users else "it has no process"
