"""How a command is ended from outside: by SIGTERM as by Ctrl-C, and by a reader who leaves where one only watches."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from typing import NoReturn

from deployer import errors


class Terminated(KeyboardInterrupt):
    """SIGTERM: it ends a command as Ctrl-C does, with another exit code."""


def exit_code(interrupt: KeyboardInterrupt) -> int:
    """Return what a command ends with that was interrupted, as a shell says of the signal."""
    return errors.TERMINATED if isinstance(interrupt, Terminated) else errors.INTERRUPTED


@contextlib.contextmanager
def as_interrupts() -> Iterator[None]:
    """Let SIGTERM raise Terminated, and Ctrl-C its base: the command clears up what is under way, and says how it ends.

    A signal that is ignored, as the shell has it for a command in the background, stays so.
    """

    def terminate(*_: object) -> NoReturn:
        raise Terminated

    handlers = {signal.SIGTERM: terminate, signal.SIGINT: signal.default_int_handler}
    before = {each: signal.getsignal(each) for each in handlers}
    heard = [each for each in handlers if before[each] is not signal.SIG_IGN]
    for each in heard:
        signal.signal(each, handlers[each])
    try:
        yield
    finally:
        for each in heard:
            signal.signal(each, before[each])


@contextlib.contextmanager
def until_ctrl_c() -> Iterator[threading.Event]:
    """Let Ctrl-C, SIGTERM and a reader who has left end the block quietly: this is how one stops watching.

    A signal also sets the event: what is raised while Python clears up weak references is lost.
    """
    told = threading.Event()

    def tell(*_: object) -> None:
        told.set()
        raise KeyboardInterrupt

    before = {each: signal.signal(each, tell) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        with reader_may_leave():
            yield told
    except KeyboardInterrupt:
        print(file=sys.stderr, flush=True)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextlib.contextmanager
def reader_may_leave() -> Iterator[None]:
    """End the block quietly when nobody reads its output any more, as with `| head`."""
    try:
        yield
    except BrokenPipeError:
        sys.stdout = sys.__stdout__ = None  # type: ignore[misc]  # no last words are tried at exit
