"""The flags of commands as they were typed; what they mean is judged where they are used."""

from dataclasses import dataclass

from deployer.model.service import Service


@dataclass(frozen=True)
class OutputFlags:
    """The flags that every command has: how it shows what it does. `command` is the command's own name."""

    format: str = "table"
    quiet: bool = False
    verbose: int = 0
    color: str = "auto"
    command: str = ""


@dataclass(frozen=True)
class Flags:
    """The flags of a command that changes the site, as they were typed.

    `wait` are the seconds that work in progress may take ("": the default); `force` goes on without it after them, and
    also where nobody would be left to serve. `lock_wait`: seconds that another command may take to end.
    """

    yes: bool = False
    output: OutputFlags = OutputFlags()
    limit: str = ""
    wait: str = ""
    force: bool = False
    lock_wait: str = ""
    on_error: str = "stop"


@dataclass(frozen=True)
class Count:
    """So many processes of a kind on a host; `number` is a text."""

    host: str
    service: Service
    number: str = "1"


@dataclass(frozen=True)
class LogFlags:
    """The flags of `logs`, as they were typed; `hosts` are names with commas, "" for all."""

    hosts: str = ""
    service: str = ""
    follow: bool = False
    since: str = ""
    grep: str = ""
    lines: str = ""
    output: OutputFlags = OutputFlags()
