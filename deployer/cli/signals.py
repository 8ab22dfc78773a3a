"""How a command is ended from outside: by signals as by Ctrl-C, and by a reader who leaves where one only watches."""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from types import FrameType

from deployer import errors
from deployer.cli.output import standard_output


class Terminated(KeyboardInterrupt):
    """A signal of ENDING: it ends a command as Ctrl-C does, with another exit code."""

    def __init__(self, exit_code: int) -> None:
        super().__init__()
        self.exit_code = exit_code


ENDING = {signal.SIGTERM: errors.TERMINATED, signal.SIGHUP: errors.HUNG_UP}


def exit_code(interrupt: KeyboardInterrupt) -> int:
    """Return what a command ends with that was interrupted, as a shell says of the signal."""
    return interrupt.exit_code if isinstance(interrupt, Terminated) else errors.INTERRUPTED


@contextlib.contextmanager
def as_interrupts() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise Terminated, and Ctrl-C its base: what is under way is cleared up, and the command
    says how it ends."""

    def terminate(number: int, _frame: object) -> None:
        if number == signal.SIGHUP:  # the kernel and a shell may each send one
            signal.signal(number, signal.SIG_IGN)
            standard_output.discard_where_hung_up()
        raise Terminated(ENDING[signal.Signals(number)])

    with _handled(_not_ignored(ENDING), terminate), _handled(_not_ignored([signal.SIGINT]), signal.default_int_handler):
        yield


def _not_ignored(numbers: Iterable[signal.Signals]) -> list[signal.Signals]:
    """Those signals that count: a shell has Ctrl-C ignored in the background, and nohup SIGHUP."""
    return [each for each in numbers if signal.getsignal(each) is not signal.SIG_IGN]


@contextlib.contextmanager
def _handled(numbers: Iterable[signal.Signals], handle: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Have signals handled until the block ends."""
    before = {each: signal.signal(each, handle) for each in numbers}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextlib.contextmanager
def until_ctrl_c() -> Iterator[threading.Event]:
    """Let Ctrl-C, SIGTERM, SIGHUP and a reader who has left end the block quietly: this is how one stops watching.

    A signal also sets the event: what is raised while Python clears up weak references is lost.
    """
    told = threading.Event()

    def tell(*_: object) -> None:
        told.set()
        raise KeyboardInterrupt

    with _handled((signal.SIGINT, *_not_ignored(ENDING)), tell):
        try:
            with reader_may_leave():
                yield told
        except KeyboardInterrupt:
            print(file=sys.stderr, flush=True)


@contextlib.contextmanager
def reader_may_leave() -> Iterator[None]:
    """End the block quietly when nobody reads its output any more, as with `| head`."""
    try:
        yield
    except BrokenPipeError:
        sys.stdout = sys.__stdout__ = None  # type: ignore[misc]  # no last words are tried at exit
