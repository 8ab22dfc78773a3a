"""A short round of bin/bench: every contestant finds the deployed site as wanted. Its figures are not looked at."""

import tempfile
from pathlib import Path

import pytest

from benchmarks import contestants, nothing_to_change, targets
from benchmarks.testbed import Testbed

pytestmark = [pytest.mark.lab, pytest.mark.on("newest")]


@pytest.fixture
def folder():
    """One with a short path: Ansible's sockets are below it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        yield Path(name)
        contestants.close_kept(Path(name))


def test_every_contestant_finds_nothing_to_change(restored, folder):
    measured = nothing_to_change.run(Testbed(restored.lab, restored.inventory, folder), rounds=1)

    (taken,) = measured["rounds"]
    assert set(taken) == {targets.US, targets.SSH, targets.PYINFRA, targets.ANSIBLE}
    assert all(sample["wall"] > 0 for sample in taken.values())
    assert targets.is_once(measured["trips"][targets.US]) == dict.fromkeys(restored.lab.hosts, True)
