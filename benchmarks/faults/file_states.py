"""What became of our files on every host while something else went on: each state must be the old or the new one."""

import contextlib
import json
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.testbed import Testbed

PROGRAM = Path(__file__).with_name("file_watcher.py")
SECONDS = 900.0  # that a watch may last
FRONT = ("/etc/systemd/system/heat-scaleout*", "/etc/heat-scaleout/**")
NODE = (*FRONT, "/etc/heat/**")  # on the source these are not ours
ABSENT = "absent"

States = Mapping[str, Mapping[str, tuple[str, ...]]]  # host -> path -> digests


@dataclass
class Watch:
    """What was seen; filled at the end of the `with`."""

    states: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)


@contextlib.contextmanager
def watched(bed: Testbed) -> Iterator[Watch]:
    """Watch our files on every host for the length of a `with`."""
    watch = Watch()
    processes = {host: _start(bed, host, SECONDS) for host in bed.hosts}
    try:
        yield watch
    finally:
        watch.states |= {host: _end(process) for host, process in processes.items()}


def now(bed: Testbed) -> States:
    """Our files as they are."""
    processes = {host: _start(bed, host, 0.0) for host in bed.hosts}
    return {host: _end(process) for host, process in processes.items()}


def mixtures(seen: States, before: States, after: States) -> tuple[str, ...]:
    """Each file that was ever neither what it was before nor what it became. Pure."""
    return tuple(
        f"{host}: {path} was neither old nor new"
        for host, files in seen.items()
        for path, digests in files.items()
        if not set(digests) <= _known(path, before.get(host, {})) | _known(path, after.get(host, {}))
    )


def _known(path: str, files: Mapping[str, tuple[str, ...]]) -> set[str]:
    return set(files.get(path, (ABSENT,)))


def _start(bed: Testbed, host: str, seconds: float) -> subprocess.Popen:
    patterns = FRONT if host == bed.hosts[0] else NODE
    command = shlex.join(["sudo", "-n", "python3", "-c", PROGRAM.read_text(), str(seconds), *patterns])
    return subprocess.Popen(bed.ssh(host, command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _end(process: subprocess.Popen) -> dict[str, tuple[str, ...]]:
    try:
        told, _ = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return {path: tuple(digests) for path, digests in json.loads(told or "{}").items()}
