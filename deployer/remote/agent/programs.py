"""Run programs on a host: argument lists, a limit in seconds, never a shell."""

import os
import subprocess


class Failed(Exception):
    """A step that could not be done; its text goes to the operator."""


class NotYet(Failed):
    """A program that still waits, its text says for what; it may be run again."""


MOST = 2000  # characters of a program's output
NOT_YET = 75  # the exit status for it: EX_TEMPFAIL of sysexits.h


def systemctl(step, _):
    """Run systemctl; when it fails, the end of the journals of its units says more than it does."""
    try:
        return call(["systemctl"] + step["arguments"], step.get("timeout", 120))
    except Failed as failed:
        units = [each for each in step["arguments"][1:] if not each.startswith("-")]
        raise Failed("\n".join([str(failed)] + [last_lines(unit) for unit in units])) from None


def last_lines(unit):
    shown = subprocess.run(
        ["journalctl", "--unit", unit, "--lines=15", "--no-pager", "--output=cat"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=30,
    )
    return shown.stdout.decode("utf-8", "replace")


def call(argv, timeout=60, given=None):
    """Run a program; its output, or Failed with its exit status and the end of its output."""
    ran = subprocess.run(argv, input=given or b"", stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
    printed = ran.stdout.decode("utf-8", "replace")
    if ran.returncode == NOT_YET:
        raise NotYet(printed.strip())
    if ran.returncode:
        last = last_of(ran.stderr.decode("utf-8", "replace") or printed)
        raise Failed("%s ended with %d: %s" % (os.path.basename(argv[0]), ran.returncode, last))
    return printed


def last_of(text):
    """The end of a text, from the beginning of a word: half a secret would not be known as one."""
    text = text.strip()
    return text if len(text) <= MOST else "".join(text[-MOST:].split(None, 1)[1:])


def run(step, _):
    return call(step["argv"], step.get("timeout", 60), step.get("stdin", "").encode())


def begin(program):
    """Start a program given its argv and stdin; its process, or why there is none."""
    given = os.memfd_create("stdin")
    try:
        os.write(given, program["stdin"].encode())
        os.lseek(given, 0, os.SEEK_SET)
        return subprocess.Popen(program["argv"], stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        return str(error)
    finally:
        os.close(given)


def answer(begun, seconds):
    """What a program printed when it is done: {printed, why}; `why` is None unless it failed."""
    if isinstance(begun, str):
        return {"printed": "", "why": begun}
    try:
        printed, messages = begun.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        begun.kill()
        begun.communicate()
        return {"printed": "", "why": "no answer in %d s" % seconds}
    last = messages.decode("utf-8", "replace").strip().splitlines()[-1:] or ["ended with %d" % begun.returncode]
    return {"printed": printed.decode("utf-8", "replace"), "why": last[0] if begun.returncode else None}
