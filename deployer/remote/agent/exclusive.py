"""A request's time on this host: whether anybody still waits for its answer, and the host for it alone."""

import fcntl
import json
import os
import select
import signal
import time


class ExclusiveRun:
    """A request that changes the host: it begins when no other is under way, and ends when nobody waits for it.

    `exclusive` of the request has the path of the lock and the seconds that another may take to end.
    """

    def __init__(self, request):
        self.lock_request = request.get("exclusive")
        self.steps = len(request["steps"])
        self.lock = None  # a file; closed, and so released, with this run

    def begin(self, index, step):
        """Before a step: TimeoutError when another request does not end, BrokenPipeError when nobody waits for us."""
        if self.lock_request and self.lock is None:
            self.lock = acquire(self.lock_request, fcntl.LOCK_EX)
        refuse_if_orphaned()
        if self.lock:
            write_owner(
                self.lock,
                {
                    "pid": os.getpid(),
                    "at": time.strftime("%H:%M:%S", time.gmtime()),
                    "do": step["do"],
                    "number": index + 1,
                    "of": self.steps,
                },
            )

    def end(self, folder):
        """After the last step: on a host where our folder is gone the lock goes as well, as nothing of ours stays."""
        if self.lock and not os.path.isdir(folder):
            os.unlink(self.lock_request["path"])


def refuse_if_orphaned():
    """Raise BrokenPipeError when nobody reads our answer any more: our session has ended, another may begin."""
    reader = select.poll()
    reader.register(1, 0)  # POLLERR and POLLHUP are always reported
    if reader.poll(0):
        raise BrokenPipeError("whoever asked for this has gone")


def wait_until_idle(lock_request):
    """Wait until no request changes the host; why it still is one that does, or None."""
    try:
        if lock_request and os.path.exists(lock_request["path"]):
            acquire(lock_request, fcntl.LOCK_SH).close()
    except TimeoutError as error:
        return str(error)
    except PermissionError:  # nor can who asks change anything here
        return None
    return None


def at_work(path):
    """What a request that changes the host is doing now, as far as it is known; None where there is none."""
    try:
        with open(path, "rb") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:  # EACCES or EAGAIN: it is held
                return owner_text(file)
    except OSError:  # nothing of ours has run, or it may not be read
        pass
    return None


def acquire(lock_request, how):
    """The file of a lock that we have waited for; TimeoutError names who still has it."""
    descriptor = os.open(lock_request["path"], os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    file = os.fdopen(descriptor, "r+b", buffering=0)
    before = signal.signal(signal.SIGALRM, raise_timeout)
    timer = signal.setitimer(signal.ITIMER_REAL, lock_request["seconds"])  # who waits needs no processor meanwhile
    try:
        fcntl.lockf(file, how)
    except TimeoutError:
        raise TimeoutError(
            "another command is still at work here after %d s%s; it ends by itself, run this one again "
            "then" % (lock_request["seconds"], owner_text(file))
        ) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *timer)
    return file


def raise_timeout(*_):
    raise TimeoutError


def write_owner(file, what):
    os.ftruncate(file.fileno(), 0)
    os.pwrite(file.fileno(), json.dumps(what).encode(), 0)


def owner_text(file):
    try:
        return " (pid %(pid)d, since %(at)s UTC at step %(number)d of %(of)d: %(do)s)" % json.loads(
            os.pread(file.fileno(), 4096, 0)
        )
    except (ValueError, LookupError):
        return ""
