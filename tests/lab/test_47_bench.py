"""A short round of bin/bench: every contestant finds the deployed site as wanted. Its figures are not looked at."""

import pytest

from benchmarks import contestants, nothing_to_change, targets
from benchmarks.testbed import Testbed

pytestmark = [pytest.mark.lab, pytest.mark.on("newest")]


def test_every_contestant_finds_nothing_to_change(restored, tmp_path):
    try:
        measured = nothing_to_change.run(Testbed(restored.lab, restored.inventory, tmp_path), rounds=1)
    finally:
        contestants.close_kept(tmp_path)

    (taken,) = measured["rounds"]
    assert set(taken) == {targets.US, targets.SSH, targets.PYINFRA, targets.ANSIBLE}
    assert all(sample["wall"] > 0 for sample in taken.values())
    assert targets.is_once(measured["trips"][targets.US]) == dict.fromkeys(restored.lab.hosts, True)
