"""`socket`, `http.client` and the calls of Linux that copy sockets, on a host in memory."""

import ctypes
import errno
import http.client
import io
import os
import socket
import struct
from types import SimpleNamespace
from typing import Any

PIDFD_OPEN, PIDFD_GETFD = 434, 438
ATTACH_FILTER, DETACH_FILTER = 51, 68
RETURN, LOAD_HALF, IS_EQUAL = 0x06, 0x28, 0x15
CONSTANTS = {name: getattr(socket, name) for name in dir(socket) if name.isupper()}
HANDLES = 10**6  # numbers of files from here on stand for processes and copies of sockets


class FakeSocket:
    """`socket.socket` of a host: asks a program that listens, or is a copy of another process's socket."""

    def __init__(self, host: Any, family: int = socket.AF_INET, kind: int = 0, fileno: int | None = None) -> None:
        self._host, self._family, self._number = host, family, fileno
        self._copied = host.handles.get(fileno)
        self._port, self._peer, self._asked, self._answer = 0, None, b"", None

    def __enter__(self) -> "FakeSocket":
        return self

    def __exit__(self, *_: object) -> None:
        self._host.handles.pop(self._number, None)

    def fileno(self) -> int:
        return self._number

    def settimeout(self, seconds: float) -> None:
        pass

    def setsockopt(self, level: int, option: int, value: Any) -> None:
        if option == socket.SO_REUSEPORT and self._copied:
            self._copied.shared = bool(value)
        elif option == ATTACH_FILTER:
            size, address = struct.unpack("HP", value)
            lines = ctypes.string_at(address, size * 8)
            self._copied.filter[:] = [struct.unpack_from("HBBI", lines, each * 8) for each in range(size)]
        elif option == DETACH_FILTER:
            if not self._copied.filter:
                raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
            self._copied.filter.clear()

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        return tcp_info(is_idle=self._copied.is_idle)

    def shutdown(self, how: int) -> None:
        if self._copied:
            self._host.connections.remove(self._copied)

    def bind(self, address: tuple[str, int]) -> None:
        if address[0].startswith("203.0.113."):
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        self._port = address[1]

    def getsockname(self) -> tuple[str, int]:
        return "0.0.0.0", self._port or next(self._host.ports)

    def connect(self, address: Any) -> None:
        if self._family == socket.AF_UNIX:
            self._peer = self._host.unix_listener(address)
        else:
            listener = listener_at(self._host, *address, source=self._port)
            self._peer = lambda _: self._host.answer_over_http(listener)

    def sendall(self, content: bytes) -> None:
        self._asked += content

    def recv(self, size: int) -> bytes:
        if self._answer is None:
            self._answer = io.BytesIO(self._peer(self._asked.decode()).encode())
        return self._answer.read(size)


def listener_at(host: Any, address: str, port: int, source: int = 0) -> Any:
    """Who gets a new connection: the first that listens there, or whom a filter chooses among those that share."""
    found = [
        each
        for each in host.reached()
        if each.port == port and each.address in (address, "0.0.0.0", "::") and not each.is_deaf
    ]
    if not found:
        raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
    program = next((each.filter for each in found if each.filter), [])
    chosen = _run_filter(program, source)
    return found[chosen] if chosen < len(found) else found[0]


def _run_filter(program: list[tuple[int, int, int, int]], source: int) -> int:
    """The classic BPF of which this product's programs are made; without one the first listener is chosen."""
    loaded = place = 0
    while place < len(program):
        code, if_true, if_false, value = program[place]
        if code == RETURN:
            return value
        if code == LOAD_HALF:
            loaded = source
        elif code == IS_EQUAL:
            place += if_true if loaded == value else if_false
        place += 1
    return 0


def tcp_info(is_idle: bool) -> bytes:
    """struct tcp_info of linux/tcp.h: a connection whose last request was answered, or is not yet."""
    info = bytearray(192)
    struct.pack_into("I", info, 44, 5000 if is_idle else 5000)
    struct.pack_into("I", info, 52, 6000 if is_idle else 100)
    struct.pack_into("II", info, 152, 1, 1)
    return bytes(info)


class _Library:
    """`ctypes.CDLL(None)`: the system calls that Python has no name for."""

    def __init__(self, host: Any) -> None:
        self._host = host

    def syscall(self, number: int, *arguments: int) -> int:
        handles = self._host.handles
        handle = HANDLES + len(handles)
        while handle in handles:
            handle += 1
        if number == PIDFD_GETFD and not self._host.copies_sockets:
            ctypes.set_errno(errno.EPERM)
            return -1
        handles[handle] = (
            arguments[0] if number == PIDFD_OPEN else self._host.proc.descriptors(handles[arguments[0]])[arguments[1]]
        )
        return handle


def modules(host: Any) -> dict[str, Any]:
    """Name -> what stands for a module of Python on this host."""

    class HttpConnection(http.client.HTTPConnection):
        def connect(self) -> None:
            listener = listener_at(host, self.host, self.port)
            self.sock = _Stream(host.answer_over_http(listener))

    return {
        "socket": SimpleNamespace(
            **CONSTANTS,
            inet_ntop=socket.inet_ntop,
            gethostname=lambda: host.name,
            socket=lambda *how, **named: FakeSocket(host, *how, **named),
        ),
        "http.client": SimpleNamespace(
            client=SimpleNamespace(HTTPConnection=HttpConnection, HTTPException=http.client.HTTPException)
        ),
        "ctypes": SimpleNamespace(
            CDLL=lambda name, use_errno: _Library(host),
            get_errno=ctypes.get_errno,
            create_string_buffer=ctypes.create_string_buffer,
            addressof=ctypes.addressof,
        ),
    }


class _Stream:
    """A connection over which one answer comes."""

    def __init__(self, answer: str) -> None:
        self._answer = answer.encode()

    def sendall(self, content: bytes) -> None:
        pass

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._answer)

    def close(self) -> None:
        pass
