"""The layers that come from Debian: every host's system, the build tools, and the controller's servers."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from lab import command
from lab.image import cache, workbench
from lab.image.cache import Layer

RELEASE = "bookworm"
SYSTEM = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "openssh-server",
    "sudo",
    "iproute2",
    "nftables",
    "procps",
    "python3",
    "libpython3.11",
    "haproxy",
)
TOOLS = (
    "gcc",
    "libc6-dev",
    "python3-dev",
    "python3-venv",
    "python3-pip",
    "python3-setuptools",
    "python3-wheel",
)
SERVERS = ("mariadb-server", "rabbitmq-server")
MACHINE_FILES = (
    "etc/ssh/ssh_host_*",
    "etc/apt/sources.list",
    "etc/apt/sources.list.d/*",
    "var/cache/apt/archives/*.deb",
    "etc/hostname",
    "etc/resolv.conf",
)
INSIDE = Path(__file__).parents[1] / "inside"
UNWANTED_UNITS = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
    "e2scrub_reap.service",
    "systemd-pstore.service",
    "getty.target",
    "console-getty.service",
    "systemd-networkd-persistent-storage.service",
    "systemd-firstboot.service",
    "systemd-update-utmp.service",
    "systemd-timesyncd.service",
)


def system() -> Layer:
    """Describe the tree every host stands on: Debian with systemd, sshd, Python and an idle HAProxy."""
    recipe = (RELEASE, *SYSTEM, *UNWANTED_UNITS, *sources().values(), Path(__file__).read_text(), system_files())
    return Layer("system", recipe, build_system)


def tools(beneath: Layer) -> Layer:
    """Describe what building venvs needs over the system; no host ever sees it."""
    return Layer("tools", TOOLS, lambda layer, aside: build_packages(layer, aside, TOOLS), (beneath,))


def servers(beneath: Layer) -> Layer:
    """Describe MariaDB and RabbitMQ as Debian ships them, over the system."""
    return Layer("servers", SERVERS, lambda layer, aside: build_packages(layer, aside, SERVERS), (beneath,))


def sources() -> dict[str, str]:
    """Return this machine's own apt source files for our release: path -> text."""
    folder = Path("/etc/apt")
    parts = [path for path in sorted(folder.glob("sources.list.d/*")) if path.suffix in (".list", ".sources")]
    files = [folder / "sources.list", *parts]
    texts = {str(path): path.read_text() for path in files if path.is_file()}
    ours = re.compile(rf"^[^#\n]*\s{RELEASE}(-updates|-security)?\s", re.MULTILINE)
    return {path: text for path, text in texts.items() if ours.search(text + "\n")}


def build_system(layer: Layer, aside: Path) -> None:
    """Bootstrap Debian and leave it ready for a host's own few files."""
    tree = aside / "layer"
    bootstrap = ["mmdebstrap", "--variant=minbase", *machine_apt_options(), f"--include={','.join(SYSTEM)}", RELEASE]
    command.run_logged([*bootstrap, str(tree), *sources()], layer.log, timeout=900)
    tree.chmod(0o755)
    shutil.copytree(INSIDE / "system", tree, dirs_exist_ok=True)
    (tree / "etc/sudoers.d/operator").chmod(0o440)
    for argv in account_commands() + unit_commands():
        command.run_logged(["chroot", str(tree), *argv], layer.log, timeout=60)
    forget_machine(tree)


def machine_apt_options() -> list[str]:
    """Pass on what this machine tells apt about checking dates; mmdebstrap takes proxies over by itself."""
    settings = ["Acquire::Check-Valid-Until", "Acquire::Check-Date"]
    said = command.run(["apt-config", "dump", "--format", '%F "%v";%n', *settings])
    return [f"--aptopt={line}" for line in said.splitlines() if '""' not in line]


def account_commands() -> list[list[str]]:
    """Return what makes Heat's service user and the operator, who may sudo without a password."""
    return [
        ["groupadd", "--system", "heat"],
        [
            "useradd",
            "--system",
            "--gid",
            "heat",
            "--home-dir",
            "/var/lib/heat",
            "--create-home",
            "--shell",
            "/usr/sbin/nologin",
            "heat",
        ],
        ["useradd", "--gid", "operator", "--create-home", "--shell", "/bin/bash", "operator"],
    ]


def unit_commands() -> list[list[str]]:
    """Return what leaves only the units that a lab host wants."""
    return [
        ["systemctl", "disable", "haproxy.service", "nftables.service"],
        ["systemctl", "mask", *UNWANTED_UNITS],
        ["systemctl", "enable", "systemd-networkd.service"],
    ]


def forget_machine(tree: Path) -> None:
    """Remove what must differ from host to host, and where the packages came from."""
    for pattern in MACHINE_FILES:
        for path in tree.glob(pattern):
            path.unlink()
    (tree / "etc/machine-id").write_text("")


def build_packages(layer: Layer, aside: Path, packages: Sequence[str]) -> None:
    """Make a layer of Debian packages over the ones it needs."""
    with workbench.over(layer.needs, aside, layer.log) as bench:
        workbench.install(bench, packages)
    for leftover in ("var/lib/apt/lists", "var/cache/apt", "run", "tmp", "srv", "etc/machine-id"):
        clear(bench.upper / leftover)
    bench.upper.rename(aside / "layer")


def clear(path: Path) -> None:
    """Remove a file or a whole folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def system_files() -> str:
    """Return the text of every file we put on the system layer, as part of its recipe."""
    return cache.texts_below(INSIDE / "system")
