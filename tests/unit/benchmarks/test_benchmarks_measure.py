"""Measuring is of real processes."""

import sys

import pytest

from benchmarks import measured_command
from benchmarks.measured_command import Command, CommandFailed


def test_commands_run_side_by_side(tmp_path):
    """Each can only end when it sees the other."""
    meets = (
        "import pathlib, sys, time; own, other = map(pathlib.Path, sys.argv[1:]); own.touch()\n"
        "while not other.exists(): time.sleep(0.01)\nprint('met')"
    )
    names = [str(tmp_path / name) for name in "ab"]

    sample = measured_command.run(
        Command([[sys.executable, "-c", meets, *names], [sys.executable, "-c", meets, *names[::-1]]])
    )

    assert sample.output.count("met") == 2 and sample.wall > 0 and sample.memory_mib > 1


def test_command_that_fails_is_told_with_its_words():
    with pytest.raises(CommandFailed, match="ended with 3:\nsorry"):
        measured_command.run(Command([[sys.executable, "-c", "print('sorry'); raise SystemExit(3)"]]))
