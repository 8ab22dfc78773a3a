"""How a command is ended from outside: SIGTERM as by Ctrl-C; Ctrl-C, or a reader who leaves, where one only watches."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Let SIGTERM end the work as Ctrl-C does, so that what was made for a proof is deleted first."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def until_ctrl_c() -> Iterator[threading.Event]:
    """Let Ctrl-C, and a reader who has left, end the block quietly: this is how one stops watching.

    Ctrl-C also sets the event: what is raised while Python clears up weak references is lost.
    """
    told = threading.Event()

    def tell(*_: object) -> None:
        told.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, tell)
    try:
        with reader_may_leave():
            yield told
    except KeyboardInterrupt:
        print(file=sys.stderr, flush=True)
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def reader_may_leave() -> Iterator[None]:
    """End the block quietly when nobody reads its output any more, as with `| head`."""
    try:
        yield
    except BrokenPipeError:
        sys.stdout = sys.__stdout__ = None  # type: ignore[misc]  # no last words are tried at exit
