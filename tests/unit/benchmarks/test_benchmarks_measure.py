"""Measuring is of real processes."""

import sys

import pytest

from benchmarks import measure
from benchmarks.measure import Command, CommandFailed


def test_commands_run_side_by_side():
    sleeper = [sys.executable, "-c", "import time; time.sleep(0.4); print('awake')"]

    sample = measure.run(Command([sleeper, sleeper]))

    assert 0.4 <= sample.wall < 0.8 and sample.output.count("awake") == 2 and sample.memory_mib > 1


def test_command_that_fails_is_told_with_its_words():
    with pytest.raises(CommandFailed, match="ended with 3:\nsorry"):
        measure.run(Command([[sys.executable, "-c", "print('sorry'); raise SystemExit(3)"]]))
