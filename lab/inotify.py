"""Room for many hosts: each systemd takes some of root's inotify instances, and the kernel's default ends near 18."""

from pathlib import Path

from lab import lab_state
from lab.progress import say

SETTING = Path("/proc/sys/fs/inotify/max_user_instances")
BEFORE = lab_state.HOME / "inotify-before"
HOSTS_BY_DEFAULT = 18
ENOUGH = 2048


def make_room() -> None:
    """Raise the kernel's limit if the hosts of all labs may need it, and keep what it was."""
    before, wanted = int(SETTING.read_text()), hosts_of_all()
    if wanted <= HOSTS_BY_DEFAULT or before >= ENOUGH:
        return
    say(f"raising fs.inotify.max_user_instances from {before} to {ENOUGH} for {wanted} hosts; lab.down sets it back")
    BEFORE.write_text(f"{before}\n")
    SETTING.write_text(f"{ENOUGH}\n")


def give_back() -> None:
    """Set the limit back to what it was, once the labs that are left can do with that."""
    if BEFORE.exists() and hosts_of_all() <= HOSTS_BY_DEFAULT:
        SETTING.write_text(BEFORE.read_text())
        BEFORE.unlink()


def hosts_of_all() -> int:
    """Return how many hosts the labs of this machine have together."""
    return sum(record.hosts for record in lab_state.every())
