"""Keeps one machine running: joins its control groups, runs nspawn, and runs it again when the machine reboots.

A program of its own, started by lab.machine; stdlib only. Its arguments: machine name, groups, `--`, nspawn's command.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

REBOOT = 133  # nspawn under --keep-unit leaves rebooting to whoever started it, and says so by this status
ATTEMPTS = 20
PAUSE = 0.25


def main(arguments: list[str]) -> int:
    """Run the machine until it is powered off; return nspawn's last status."""
    split = arguments.index("--")
    machine, groups, command = arguments[0], arguments[1:split], arguments[split + 1 :]
    for group in groups:
        join(group)
    status = run(command)
    while status == REBOOT:
        status = boot_again(machine, command)
    return status


def join(group: str) -> None:
    """Make a control group and enter it."""
    folder = Path(group)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup.procs").write_text(f"{os.getpid()}\n")


def run(command: list[str]) -> int:
    """Run nspawn to its end and pass a SIGTERM, which means power off, on to it."""
    child = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda _number, _frame: child.terminate())
    return child.wait()


def boot_again(machine: str, command: list[str]) -> int:
    """Start the machine anew; its last life's link and scope may take a moment to vanish."""
    status = REBOOT
    for _attempt in range(ATTEMPTS):
        subprocess.run(
            ["ip", "link", "delete", f"vb-{machine}"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        )
        began = time.monotonic()
        status = run(command)
        if status in (0, REBOOT) or time.monotonic() - began > ATTEMPTS * PAUSE:
            break
        time.sleep(PAUSE)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
