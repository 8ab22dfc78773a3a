"""Runs programs of this machine: argument lists, a deadline for each, failures as errors for the operator."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.lab_errors import HostFailed


def run(argv: Sequence[str], timeout: float = 60, text: str | None = None) -> str:
    """Run a program with `text` on its stdin and return its stdout; raise HostFailed if it fails or is too slow."""
    try:
        done = subprocess.run(
            argv,
            input=text,
            stdin=None if text is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise HostFailed(f"{argv[0]} did not end in {timeout:.0f} s", hint="Is this machine overloaded?") from None
    except FileNotFoundError:
        raise HostFailed(f"{argv[0]} is not installed", hint=f"Install the package that has {argv[0]}.") from None
    if done.returncode != 0:
        raise HostFailed(f"{' '.join(argv[:3])} failed: {last_line(done.stderr)}", hint="See the line above.")
    return done.stdout


def run_logged(argv: Sequence[str], log: Path, timeout: float, env: Mapping[str, str] | None = None) -> None:
    """Run a long program with all its output added to `log`; raise HostFailed naming the log if it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        sink.write(f"\n# {' '.join(argv)}\n".encode())
        sink.flush()
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                timeout=timeout,
                check=False,
                env={**os.environ, **(env or {})},
            )
        except subprocess.TimeoutExpired:
            raise HostFailed(f"{argv[0]} did not end in {timeout:.0f} s", hint=f"Read {log}") from None
        except FileNotFoundError:
            raise HostFailed(f"{argv[0]} is not installed", hint=f"Install the package that has {argv[0]}.") from None
    if done.returncode != 0:
        last = last_line(log.read_text(errors="replace"))
        raise HostFailed(f"{argv[0]} failed with status {done.returncode}: {last}", hint=f"Read {log}")


def last_line(output: str) -> str:
    """Return the last line of an output that says anything."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
