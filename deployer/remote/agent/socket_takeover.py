"""Socket takeover: an address passes from the process that listens there to another, and no client notices.

Root may copy another process's socket (pidfd_getfd(2), Linux 5.6). On such copies the old listener is made to share
its address (SO_REUSEPORT, which asks for one owner of all its sockets), the kernel is set to lead new connections to
the newest listener (SO_ATTACH_REUSEPORT_CBPF, socket(7)), and kept-alive connections are closed while they are idle.
"""

import ctypes
import errno
import os
import socket
import struct
import time

from deployer.remote.agent import exclusive, programs, sockets

PIDFD_OPEN, PIDFD_GETFD = 434, 438  # the same numbers on every architecture but Alpha
ATTACH_REUSEPORT_CBPF, DETACH_REUSEPORT_BPF = 51, 68  # SO_ATTACH_REUSEPORT_CBPF, SO_DETACH_REUSEPORT_BPF
RETURN, LOAD_HALF, IS_EQUAL = 0x06, 0x28, 0x15  # BPF_RET | BPF_K, BPF_LD | BPF_H | BPF_ABS, BPF_JMP | BPF_JEQ
NETWORK = 0xFFF00000  # SKF_NET_OFF: offsets from the network header
LISTENING, ESTABLISHED = "0A", "01"
ANSWER_WHOLE_AFTER = 10  # ms without a byte sent after which an answer is taken as whole
SAME_TICK_AFTER = (
    250  # ms after which a request and an answer of one clock tick are taken as one exchange; falls with time
)
FIRST_REQUEST_TIMEOUT = 2000  # ms that a new connection may take to ask for something
UNSUPPORTED_ERRORS = (errno.ENOSYS, errno.EPERM, errno.EINVAL)


def share_port(held, uid):
    """Let processes of a user listen beside these holders; False when this kernel lets nobody copy a socket."""
    try:
        for pid, inode in sorted(listening_sockets(held)):
            with copy_of(pid, inode) as listener:
                os.fchown(listener.fileno(), uid, -1)
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                detach_filter(listener)
    except OSError as error:
        if error.errno not in UNSUPPORTED_ERRORS:
            raise
        return False
    return True


def detach_filter(listener):
    """Detach the filter of an earlier takeover from this address."""
    try:
        listener.setsockopt(socket.SOL_SOCKET, DETACH_REUSEPORT_BPF, 0)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.EINVAL):  # it had no filter
            raise


def with_settings(unit, lines, act):
    """Do something to a unit that has other settings for just that long."""
    path = settings_path(unit)
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    try:
        with open(path, "w") as stream:
            stream.write("[Service]\n%s\n" % lines)
        programs.call(["systemctl", "daemon-reload"])
        act()
    finally:
        if os.path.exists(path):
            os.unlink(path)
        if not os.listdir(folder):
            os.rmdir(folder)
        programs.call(["systemctl", "daemon-reload"])


def settings_path(unit):
    """The file that has a unit's other settings."""
    return "/run/systemd/system/%s.d/heat-scaleout.conf" % unit


def lead_to_newest(held):
    """Lead new connections to whoever listens beside these holders; where they alone listen nothing changes."""
    for each in held:
        attach_filter(each, lambda others: [(RETURN, 0, 0, others)])


def keep_with_holders(held, source):
    """Leave new connections to these holders, but for those from one port, which go to whoever listens beside them."""
    for each in held:
        ports_at = NETWORK + (40 if ":" in each["address"] else 20)  # behind an IP header without options
        attach_filter(
            each,
            lambda others, place=ports_at: [
                (LOAD_HALF, 0, 0, place),
                (IS_EQUAL, 0, 1, source),
                (RETURN, 0, 0, others),
                (RETURN, 0, 0, 0),
            ],
        )


def attach_filter(holder, program):
    """Give the kernel a program that chooses, by their order of arrival, among the listeners of an address."""
    taken = listening_sockets([holder])
    lines = b"".join(struct.pack("HBBI", *line) for line in program(len(taken)))
    kept = ctypes.create_string_buffer(lines)
    for pid, inode in sorted(taken):
        with copy_of(pid, inode) as listener:
            try:
                listener.setsockopt(
                    socket.SOL_SOCKET, ATTACH_REUSEPORT_CBPF, struct.pack("HP", len(lines) // 8, ctypes.addressof(kept))
                )
            except OSError as error:  # the old one listens on all addresses: it gets none of ours anyway
                if error.errno != errno.EINVAL:
                    raise


def answers_from(address, port, source):
    """Whether who gets the connections from a port of this host answers HTTP, with whatever status."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as connection:
        connection.settimeout(5)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # the port is free at once
        try:
            connection.bind(("", source))
            connection.connect((address, port))
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return connection.recv(5) == b"HTTP/"
        except OSError:
            return False


def unused_port():
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


def drain(held, seconds, poll):
    """Wait until the holders have no connection left, closing those that are idle; how many are left."""
    started = time.monotonic()
    while True:
        passed = time.monotonic() - started
        left = sum(
            not close_if_idle(each, SAME_TICK_AFTER / (1 + passed)) for each in connections(held)
        ) + not_accepted(held)
        if not left or passed > seconds:
            return left
        exclusive.refuse_if_orphaned()
        time.sleep(poll)


def listening_sockets(held):
    """(pid, inode) of every socket through which these holders listen."""
    ports = {each["port"] for each in held}
    inodes = {row[9] for row in rows(LISTENING) if port_of(row) in ports}
    return {(each["pid"], inode) for each in held for inode in inodes_of(each["pid"]) & inodes}


def not_accepted(held):
    """Connections that the holders have not accepted yet."""
    inodes = {inode for _, inode in listening_sockets(held)}
    return sum(int(row[4].partition(":")[2], 16) for row in rows(LISTENING) if row[9] in inodes)


def connections(held):
    """(pid, inode) of every established connection to the holders' ports, theirs or their workers'."""
    ports = {each["port"] for each in held}
    inodes = {row[9] for row in rows(ESTABLISHED) if port_of(row) in ports}
    listeners = {inode for _, inode in listening_sockets(held)}
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        mine = inodes_of(pid)
        if mine & listeners:
            yield from ((pid, inode) for inode in mine & inodes)


def close_if_idle(place, unsure):
    """Whether a connection is gone; one that is idle is closed."""
    try:
        with copy_of(*place) as connection:
            if is_idle(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192), unsure):
                connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return True
    return False  # until its owner has closed it too


def is_idle(info, unsure):
    """Whether the last bytes on a connection were an answer (struct tcp_info of linux/tcp.h)."""
    (unacknowledged,) = struct.unpack_from("I", info, 24)
    (sent,) = struct.unpack_from("I", info, 44)  # ms ago, as is the next
    (received,) = struct.unpack_from("I", info, 52)
    asked, answered = struct.unpack_from("II", info, 152)  # segments with data
    if not asked:
        return received > FIRST_REQUEST_TIMEOUT
    return (
        answered and not unacknowledged and sent > ANSWER_WHOLE_AFTER and (received > sent or received == sent > unsure)
    )


def rows(state):
    return [row for table in ("/proc/net/tcp", "/proc/net/tcp6") for row in sockets.rows_of(table) if row[3] == state]


def port_of(row):
    return int(row[1].rpartition(":")[2], 16)


def inodes_of(pid):
    """The sockets that a process holds, by inode; none of a process that is gone."""
    return set(numbers_of(pid))


def numbers_of(pid):
    found = {}
    try:
        for number in os.listdir("/proc/%d/fd" % pid):
            target = os.readlink("/proc/%d/fd/%s" % (pid, number))
            if target.startswith("socket:["):
                found[target[8:-1]] = int(number)
    except OSError:
        pass
    return found


def copy_of(pid, inode):
    """A socket of another process, which stays its own too."""
    number = numbers_of(pid).get(inode)
    if number is None:
        raise ProcessLookupError(errno.ESRCH, "the process has closed it")
    process = call(PIDFD_OPEN, pid, 0)
    try:
        return socket.socket(fileno=call(PIDFD_GETFD, process, number, 0))
    finally:
        os.close(process)


def call(number, *arguments):
    """A system call that Python has no name for."""
    library = ctypes.CDLL(None, use_errno=True)
    result = library.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
