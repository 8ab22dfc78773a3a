"""A plan in a file is what it was decided from; whatever of that has moved since is named."""

import json
from dataclasses import replace

import pytest
import sites

from deployer import errors
from deployer.model.facts import Observation
from deployer.model.state import HostState, UnitState, file_of
from deployer.plan import saved_plan

TEXT = sites.an_inventory_text()
PATH = "/etc/heat/heat.conf"


@pytest.fixture
def planned():
    """A plan of a site on which nothing was deployed."""
    inventory = sites.an_inventory()
    return sites.planned(inventory, sites.a_fleet(inventory), file=sites.a_file_of(TEXT))


@pytest.fixture
def kept(planned):
    """The same, written and read again."""
    return again(planned)


def again(planned):
    """A plan, written and read again."""
    return saved_plan.from_json(json.dumps(saved_plan.to_json(planned)), "plan.json")


def with_text(planned, text):
    """The plan of an inventory that says something else."""
    return replace(planned, change=replace(planned.change, file=replace(planned.change.file, text=text)))


def with_host(planned, name, **changed):
    """The plan decided from another state of a host."""
    observed = planned.observed[name]
    return replace(
        planned, observed={**planned.observed, name: Observation(replace(observed.state, **changed), observed.facts)}
    )


def with_file(planned, name, path, content, **how):
    files = {**planned.observed[name].state.files, path: file_of(path, content, **how)}
    return with_host(planned, name, files=files)


def test_plan_of_which_nothing_moved_is_the_same(planned, kept):
    assert saved_plan.changes_since(kept, planned) == ()


def test_saved_plan_has_the_steps_and_no_content_of_a_file(planned, kept):
    assert list(kept.steps) == [f"{step.host}: {step}" for step in planned.plan.changes()]
    assert "admin" not in repr(kept)  # the password in the source's heat.conf


def test_changed_inventory_is_named(planned, kept):
    assert saved_plan.changes_since(kept, with_text(planned, TEXT + "# more\n")) == (
        f"{sites.PATH}: the inventory has changed",
    )


@pytest.mark.parametrize(
    ("host", "path", "how", "word"),
    [
        ("hostA", PATH, {}, "has changed"),
        ("hostA", "/etc/heat/policy.yaml", {}, "is new"),
        ("hostB", PATH, {}, "is new"),
    ],
)
def test_file_that_moved_is_named_with_its_host(planned, kept, host, path, how, word):
    assert saved_plan.changes_since(kept, with_file(planned, host, path, b"other", **how)) == (
        f"{host}: {path} {word}",
    )


@pytest.mark.parametrize("how", [{"owner": "heat"}, {"group": "root"}, {"mode": 0o600}])
def test_file_with_another_access_has_changed(planned, kept, how):
    same = planned.observed["hostA"].state.files[PATH]
    access = {"group": same.group, "mode": same.mode, "owner": same.owner} | how

    assert saved_plan.changes_since(kept, with_file(planned, "hostA", PATH, same.content, **access)) == (
        f"hostA: {PATH} has changed",
    )


def test_file_that_is_gone_is_named(planned, kept):
    assert saved_plan.changes_since(kept, with_host(planned, "hostA", files={})) == (
        "hostA: /etc/heat/api-paste.ini is gone",
        f"hostA: {PATH} is gone",
    )


@pytest.mark.parametrize("how", [{"state": UnitState.INACTIVE}, {"enabled": False}, {"config": "other"}])
def test_unit_that_moved_is_named(planned, how):
    unit = sites.a_unit()
    before = with_host(planned, "hostB", units={unit.name: unit})
    kept = again(before)

    after = with_host(planned, "hostB", units={unit.name: replace(unit, **how)})

    assert saved_plan.changes_since(kept, after) == (f"hostB: {unit.name} has changed",)
    assert saved_plan.changes_since(kept, planned) == (f"hostB: {unit.name} is gone",)


def test_unit_with_another_process_is_the_same(planned):
    unit = sites.a_unit()
    kept = again(with_host(planned, "hostB", units={unit.name: unit}))

    assert saved_plan.changes_since(kept, with_host(planned, "hostB", units={unit.name: replace(unit, pid=7)})) == ()


def test_host_that_came_or_went_has_all_its_files_moved(planned, kept):
    observed = {name: each for name, each in planned.observed.items() if name != "hostA"}

    assert [
        line for line in saved_plan.changes_since(kept, replace(planned, observed=observed)) if line.endswith("is gone")
    ]
    assert (
        saved_plan.changes_since(
            kept, replace(planned, observed={**planned.observed, "hostD": Observation(HostState())})
        )
        == ()
    )


def test_other_steps_are_named_when_nothing_they_were_decided_from_moved(planned, kept):
    starts = next(wave for wave in planned.plan.waves if wave.name == "start engines")
    fewer = replace(
        planned, plan=replace(planned.plan, waves=tuple(each for each in planned.plan.waves if each is not starts))
    )
    gone = [f"{step.host}: {step}" for step in starts.steps if step.changes]

    assert saved_plan.changes_since(kept, fewer) == tuple(f"no longer planned: {step}" for step in gone)
    assert saved_plan.changes_since(again(fewer), planned) == tuple(f"newly planned: {step}" for step in gone)


@pytest.mark.parametrize("text", ["", "no json", "[]", "7", "null", '{"kind": "other"}', '{"schema_version": 1}'])
def test_file_that_holds_no_plan_is_refused(text):
    with pytest.raises(errors.BadInput, match=r"plan\.json is not a saved plan"):
        saved_plan.from_json(text, "plan.json")


def test_plan_of_another_version_is_refused(planned):
    with pytest.raises(errors.BadInput, match="another version"):
        saved_plan.from_json(json.dumps(saved_plan.to_json(planned) | {"schema_version": 99}), "plan.json")
