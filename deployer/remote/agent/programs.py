"""Run programs on a host: argument lists, a limit in seconds, never a shell."""

import os
import subprocess


class Failed(Exception):
    """A step that could not be done; its text goes to the operator."""


def systemctl(step, _):
    return call(["systemctl"] + step["arguments"], step.get("timeout", 120))


def call(argv, timeout=60, given=None):
    """Run a program; what it prints, or Failed with its exit status and its last words."""
    ran = subprocess.run(argv, input=given or b"", stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
    printed = ran.stdout.decode("utf-8", "replace")
    if ran.returncode:
        last = (ran.stderr.decode("utf-8", "replace") or printed).strip()[-2000:]
        raise Failed("%s ended with %d: %s" % (os.path.basename(argv[0]), ran.returncode, last))
    return printed


def run(step, _):
    return call(step["argv"], step.get("timeout", 60), step.get("stdin", "").encode())
