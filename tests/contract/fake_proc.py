"""/proc of a host in memory, as Linux shows processes and sockets: made from the host's table at each look."""

import posixpath
import socket
import sys
from collections.abc import Iterable
from typing import Any

LISTENING, ESTABLISHED = "0A", "01"
HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


class Proc:
    """Answers for paths below /proc; whatever is not there is not there."""

    def __init__(self, host: Any) -> None:
        self._host = host

    def has(self, path: str) -> bool:
        return path in ("/proc/net/tcp", "/proc/net/tcp6")

    def listed(self, path: str) -> list[str]:
        """The names in a folder."""
        processes = self._host.processes()
        if path == "/proc":
            return [str(pid) for pid in processes]
        pid, name = _split(path)
        if pid not in processes or name != "fd":
            raise FileNotFoundError(path)
        return [str(number) for number in self.descriptors(pid)]

    def link(self, path: str) -> str:
        """Where a link of /proc/PID/fd leads."""
        folder, number = posixpath.split(path)
        held = self.descriptors(_split(folder)[0]).get(int(number))
        if held is None:
            raise FileNotFoundError(path)
        return f"socket:[{held.inode}]"

    def descriptors(self, pid: int) -> dict[int, Any]:
        """Number of a file -> the socket that a process has open as it."""
        return dict(enumerate((each for each in self._sockets() if each.pid == pid), 3))

    def content(self, path: str) -> bytes:
        if path in ("/proc/net/tcp", "/proc/net/tcp6"):
            return self._table(is_6=path.endswith("6")).encode()
        if path == "/proc/meminfo":
            return f"MemAvailable: {self._host.available // 1024} kB\n".encode()
        if path == "/proc/sys/fs/nr_open":
            return str(self._host.most_files).encode()
        pid, name = _split(path)
        process = self._host.processes().get(pid)
        if process is None:
            raise FileNotFoundError(path)
        return self._of(process, name)

    def _of(self, process: Any, name: str) -> bytes:
        ticks = round(self._host.cpu_seconds * 100) if process.parent == 1 else 0
        held, count = self._host.held["memory"] // 1024, self._host.held["processes"]
        share = held - (count - 1) * (held // count) if process.parent == 1 else held // count
        texts = {
            "cmdline": "".join(f"{each}\0" for each in process.argv),
            "comm": f"{process.program}\n",
            "cgroup": f"0::/system.slice/{process.unit}\n",
            "stat": f"{process.pid} ({process.program}) S {process.parent} {'0 ' * 9}{ticks} 0 0 0 20\n",
            "smaps_rollup": f"Pss: {share} kB\n",
        }
        if name not in texts:
            raise FileNotFoundError(f"/proc/{process.pid}/{name}")
        return texts[name].encode()

    def _sockets(self) -> list[Any]:
        return [each for each in self._host.listeners + self._host.connections if each.port]

    def _table(self, is_6: bool) -> str:
        sockets = [each for each in self._sockets() if (":" in each.address) == is_6]
        return HEADER + "".join(_rows(sockets, set(map(id, self._host.connections))))


def _rows(sockets: Iterable[Any], connections: set[int]) -> Iterable[str]:
    for number, each in enumerate(sockets):
        state = ESTABLISHED if id(each) in connections else LISTENING
        local = f"{_hexadecimal(each.address)}:{each.port:04X}"
        yield f"{number:4}: {local} {local} {state} 00000000:00000000 00:00000000 00000000 0 0 {each.inode}\n"


def _hexadecimal(address: str) -> str:
    raw = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    words = [raw[start : start + 4] for start in range(0, len(raw), 4)]
    return "".join((each[::-1] if sys.byteorder == "little" else each).hex().upper() for each in words)


def _split(path: str) -> tuple[int, str]:
    """The PID and the rest of /proc/PID/NAME."""
    _, _, pid, name = path.split("/", 3)
    return (int(pid) if pid.isdigit() else -1), name
