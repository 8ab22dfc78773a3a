"""How a command is ended from outside."""

import os
import signal
import subprocess
import sys

import pytest
import sites

from deployer.cli import signals

# The command is one that Ctrl-C meets while it is still being loaded.
INTERRUPTED_EARLY = """
import os, signal, sys, types
from deployer.cli import entry

def main():
    os.kill(os.getpid(), signal.SIGINT)
    print("it goes on")

entry.program = types.SimpleNamespace(main=main)
sys.exit(entry.main())
"""


@pytest.fixture
def handlers():
    """Let a test set handlers of its own."""
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


def run_early(**options):
    return subprocess.run(
        [sys.executable, "-c", INTERRUPTED_EARLY], cwd=sites.ROOT, capture_output=True, text=True, timeout=30, **options
    )


def test_ctrl_c_before_a_command_has_begun_ends_the_process_without_a_word():
    ended = run_early(preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # whatever runs the tests

    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


def test_ctrl_c_that_the_shell_has_ignored_stays_so():
    ended = run_early(preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))

    assert (ended.returncode, ended.stdout) == (0, "it goes on\n")


@pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, signals.Terminated)]
)
def test_command_is_interrupted_by_a_signal_until_it_ends(handlers, number, raised):
    signal.signal(number, signal.SIG_DFL)

    with pytest.raises(raised), signals.as_interrupts():
        os.kill(os.getpid(), number)

    assert signal.getsignal(number) is signal.SIG_DFL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_command_does_not_hear_a_signal_that_is_ignored(handlers, number):
    signal.signal(number, signal.SIG_IGN)

    with signals.as_interrupts():
        os.kill(os.getpid(), number)

    assert signal.getsignal(number) is signal.SIG_IGN
