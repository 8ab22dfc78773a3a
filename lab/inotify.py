"""Room for many hosts: each systemd takes some of root's inotify instances, and the kernel's default ends near 18."""

from dataclasses import replace
from pathlib import Path

from lab import state
from lab.progress import say
from lab.state import Record

SETTING = Path("/proc/sys/fs/inotify/max_user_instances")
HOSTS_BY_DEFAULT = 18
ENOUGH = 1024


def make_room(record: Record) -> Record:
    """Raise the kernel's limit if all labs' hosts together may need it, and record what it was."""
    wanted = sum(other.hosts for other in state.every())
    before = int(SETTING.read_text())
    if wanted <= HOSTS_BY_DEFAULT or before >= ENOUGH:
        return record
    say(f"raising fs.inotify.max_user_instances from {before} to {ENOUGH} for {wanted} hosts; lab.down sets it back")
    SETTING.write_text(f"{ENOUGH}\n")
    record = replace(record, inotify_before=before)
    state.write(record)
    return record


def restore(record: Record) -> None:
    """Set the limit back to what it was before this lab raised it."""
    if record.inotify_before is not None:
        SETTING.write_text(f"{record.inotify_before}\n")
