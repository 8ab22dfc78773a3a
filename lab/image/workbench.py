"""A place to build in: layers beneath, a fresh one on top, and programs run inside without booting."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab import command, machine, mounts
from lab.image import cache

APT_NEEDS = {
    "/etc/apt": "/etc/apt",
    "/usr/share/keyrings": "/usr/share/keyrings",
    "/etc/resolv.conf": "/etc/resolv.conf",
    "/etc/ssl/certs/ca-certificates.crt": "/srv/ca-certificates.crt",
}
APT_OPTIONS = (
    "--option=Dpkg::Options::=--force-unsafe-io",
    "--option=Acquire::https::CAInfo=/srv/ca-certificates.crt",
)
PROXY_VARIABLES = ("http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True)
class Workbench:
    """A mounted overlay; what programs write lands in `upper`."""

    root: Path
    upper: Path
    log: Path


@contextmanager
def over(layers: Sequence[cache.Layer], aside: Path, log: Path) -> Iterator[Workbench]:
    """Mount finished layers (the topmost first) with an empty one above, for as long as the block runs."""
    bench = Workbench(aside / "root", aside / "upper", log)
    mounts.overlay(bench.root, [cache.ensure(layer) for layer in layers], bench.upper, aside / "work")
    try:
        yield bench
    finally:
        mounts.detach_below(bench.root)


def inside(
    bench: Workbench,
    argv: Sequence[str],
    binds: Mapping[Path, str] | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 300,
) -> None:
    """Run a program in the workbench with no network; `binds` maps folders of this machine to places inside."""
    shared = [f"--bind={source}:{target}" for source, target in (binds or {}).items()]
    settings = [f"--setenv={name}={value}" for name, value in (env or {}).items()]
    launch = [*nspawn(bench), "--private-network", *shared, *settings, "--", *argv]
    run_kept(launch, bench, timeout)


def install(bench: Workbench, packages: Sequence[str]) -> None:
    """Install Debian packages in the workbench, from the sources and with the settings this machine uses."""
    shared = [f"--bind-ro={path}:{target}" for path, target in APT_NEEDS.items() if Path(path).exists()]
    passed = [f"--setenv={name}={os.environ[name]}" for name in PROXY_VARIABLES if name in os.environ]
    launch = [*nspawn(bench), *shared, *passed, "--setenv=DEBIAN_FRONTEND=noninteractive", "--"]
    quiet = ["apt-get", "--quiet", "--yes", *APT_OPTIONS]
    run_kept([*launch, *quiet, "update"], bench, timeout=300)
    run_kept([*launch, *quiet, "install", "--no-install-recommends", *packages], bench, timeout=600)


def nspawn(bench: Workbench) -> list[str]:
    """Return the start of the command that runs one program in the workbench."""
    name = machine_name(bench)
    return [
        *machine.kept(name),
        "systemd-nspawn",
        "--quiet",
        *machine.unit_flags(),
        "--as-pid2",
        "--pipe",
        "--settings=no",
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        f"--machine={name}",
        f"--directory={bench.root}",
    ]


def machine_name(bench: Workbench) -> str:
    """Name the workbench among the machines: it is the layer that is being built in it."""
    return f"heat-build-{bench.root.parent.name}"


def run_kept(argv: Sequence[str], bench: Workbench, timeout: float) -> None:
    """Run a workbench's command, its output to the log, and leave no control group behind."""
    try:
        command.run_logged(argv, bench.log, timeout)
    finally:
        machine.clear_traces(machine_name(bench), bench.root)
