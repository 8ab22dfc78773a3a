"""How a process proves that it is ready, or has stopped: one kind of probe a class."""

from dataclasses import dataclass, field, replace

from deployer.model.tls import Trust

LONGEST_INTERVAL = 20.0  # seconds: what the programs in the generations of older versions wait


@dataclass(frozen=True)
class Probe:
    """How a started process proves that it is ready, within `timeout` seconds; one kind a subclass."""

    timeout: float = field(default=60.0, kw_only=True)


@dataclass(frozen=True)
class AnswersHttp(Probe):
    """An HTTP GET, over TLS if `secure`, is answered with one of `expect`; `trust`: by whom alone (None: anybody).

    Once it is, so many `warm_up_connections` ask for each of `warm_up_paths` at once, whatever the answers are.
    """

    address: str
    port: int
    path: str = "/"
    expect: tuple[int, ...] = (200, 300)
    secure: bool = False
    trust: Trust | None = None
    warm_up_paths: tuple[str, ...] = ()
    warm_up_connections: int = 0


def without_warm_up(probe: AnswersHttp) -> AnswersHttp:
    """The probe for who only looks whether a process can be reached."""
    return replace(probe, warm_up_paths=(), warm_up_connections=0)


@dataclass(frozen=True)
class AnswersSocket(Probe):
    """A unix socket's answer to a line contains a text."""

    socket: str
    send: str
    contains: str


@dataclass(frozen=True)
class Program(Probe):
    """A program given `stdin` ends with 0; the end of its output is the reason when it does not.

    Within `busy_timeout` seconds it may end with 75 any number of times: it still waits, and prints for what. It does
    so after the seconds that it has as its last argument, `interval` at most (0: it takes no argument).
    """

    argv: tuple[str, ...]
    stdin: str = field(default="", repr=False)
    busy_timeout: float = 0.0
    interval: float = 0.0

    def seconds_to_wait(self, waited: float) -> float:
        """How long it may wait when it is run again, given how long it has waited so far."""
        return max(0.0, min(self.interval or LONGEST_INTERVAL, self.busy_timeout - waited))
