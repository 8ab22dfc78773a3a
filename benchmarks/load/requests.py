"""What the clients ask, and when: request number n is the same in every run but for the run's name. Pure."""

import ipaddress
from dataclasses import dataclass

ALLOWED = [ipaddress.ip_network(net) for net in ("127.0.0.0/8", "::1/128", "198.18.0.0/16")]  # loopback, the labs
HEADER = "X-Load-Id"


@dataclass(frozen=True)
class Kind:
    """One of the requests that clients send; `path` gets the id, `expected` is the one status that is right."""

    name: str
    port: int
    method: str
    path: str
    expected: int
    body: bytes | None = None


# No request needs a token, so that Heat's APIs answer at once and by themselves: Keystone would be loaded otherwise.
KINDS = (
    Kind("rest get", 8004, "GET", "/healthcheck?id={}", 200),
    Kind("rest post", 8004, "POST", "/v1/{}/stacks", 401, b"{}"),
    Kind("cfn get", 8000, "GET", "/healthcheck?id={}", 200),
    Kind("cfn post", 8000, "POST", "/v1/{}", 400, b"{}"),
)
CFN_EVERY = 4  # one pair of requests in so many goes to the CFN API


@dataclass(frozen=True)
class Order:
    """One request to be made: `due` is in seconds after the start, `kept` says over a connection that is kept."""

    number: int
    due: float
    kind: Kind
    identity: str
    kept: bool

    @property
    def path(self) -> str:
        return self.kind.path.format(self.identity)

    @property
    def headers(self) -> dict[str, str]:
        """A request over a connection of its own says so; one with a body says what it is."""
        typed = {"Content-Type": "application/json"} if self.kind.body else {}
        return {HEADER: self.identity, **typed, **({} if self.kept else {"Connection": "close"})}


def order(number: int, run: str, rate: float) -> Order:
    """Request number n of a run: due at n / rate, whatever became of those before it."""
    get_or_post, pair = number // 2 % 2, number // 4
    kind = KINDS[get_or_post + (2 if pair % CFN_EVERY == CFN_EVERY - 1 else 0)]
    return Order(number, number / rate, kind, identity(run, number), kept=number % 2 == 0)


def identity(run: str, number: int) -> str:
    """The id of a request, found again in every log that it passes."""
    return f"load-{run}-{number:07d}"


def number_of(identity: str) -> int:
    """The number of a request with this id."""
    return int(identity.rpartition("-")[2])


def refuse_stranger(address: str) -> None:
    """Raise ValueError for a target that is neither this machine nor a lab's host."""
    target = ipaddress.ip_address(address)
    if not any(target in network for network in ALLOWED):
        raise ValueError(f"{address} is no host of a lab: no load is sent there")
