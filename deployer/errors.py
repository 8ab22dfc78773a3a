"""Errors for the operator: what failed, where and why, with a hint of what to do, and the exit code it ends with."""

from collections.abc import Callable, Sequence

INTERRUPTED = 130  # the exit code after Ctrl-C
HUNG_UP = 129  # the exit code after SIGHUP: its terminal or SSH session has ended
TERMINATED = 143  # the exit code after SIGTERM
BUG = 1  # the exit code of what nobody but us can mend


class DeployerError(Exception):
    """Something the operator can mend. `exit_code` follows the contract of docs/commands.md."""

    exit_code = 5

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def reword(self, change: Callable[[str], str]) -> None:
        """Say the same in other words."""
        self.message, self.hint = change(self.message), change(self.hint)
        self.args = (self.message,)


class BadInput(DeployerError):
    """The inventory, heat.conf, a file or an argument cannot be used as it is."""

    exit_code = 3


class BadInventory(BadInput):
    """Every error of one inventory file at once, each as `file:line:column: path: message`."""

    def __init__(self, problems: Sequence[str], hint: str = "") -> None:
        super().__init__("\n".join(problems), hint)
        self.problems = tuple(problems)


class BadConfig(BadInput):
    """A file of Heat's configuration cannot be understood; message starts with `path:line:`."""


class NotReady(BadInput):
    """Preflight found problems; `problems` holds one `host: what: hint` line each."""

    def __init__(self, problems: Sequence[str], hint: str = "") -> None:
        super().__init__("\n".join(problems), hint)
        self.problems = tuple(problems)


class HostUnreachable(DeployerError):
    """A host did not answer, refused the login, or showed an unknown or changed host key."""

    exit_code = 4

    def __init__(self, host: str, why: str, hint: str = "") -> None:
        super().__init__(f"{host}: {why}", hint)
        self.host = host


class HostSilent(HostUnreachable):
    """A host gives no sign of life: who asks it again waits again."""


class HostFailed(DeployerError):
    """A request or a step failed on a host that answers.

    `words`: what the agent there said last, at the end of the message. They may hold a secret of the host.
    """

    exit_code = 5

    def __init__(self, host: str, why: str, hint: str = "", words: str = "") -> None:
        super().__init__(": ".join(filter(None, (host, why, words))), hint)
        self.host = host
        self.why = why
        self.words = words

    def reword(self, change: Callable[[str], str]) -> None:
        """Say the same in other words, in each of its parts."""
        super().reword(change)
        self.why, self.words = change(self.why), change(self.words)


class StillStopping(HostFailed):
    """A process was told to stop and still ends its work: nothing is wrong with it, and the same command goes on."""


class NotRoot(HostFailed):
    """A host answers, but its login may not work as root there; nothing was asked of it."""

    exit_code = 3


class ManyFailed(DeployerError):
    """Several hosts failed; each error in a line of its own with all its hosts, with the exit code of the worst."""

    def __init__(self, failures: Sequence[DeployerError], exit_code: int) -> None:
        different = _different(failures)
        if len(different) == 1:
            super().__init__(*different[0])
        else:
            super().__init__("\n".join(f"{message}\n  {hint}".rstrip() for message, hint in different))
        self.failures = tuple(failures)
        self.exit_code = exit_code


class Locked(DeployerError):
    """Another command changes the site, or the lock of this one was lost."""

    exit_code = 6

    @classmethod
    def lost(cls) -> "Locked":
        """Return the error of a command whose lock has ended before it."""
        return cls(
            "the lock was lost: its host did not hear this command for too long, or somebody ended it; nothing "
            "more is changed",
            hint="`invoke deploy` goes on with what the inventory says now, from what the hosts have.",
        )


class VerifyFailed(DeployerError):
    """The site was changed as planned but does not prove to work."""

    exit_code = 7


class StalePlan(DeployerError):
    """What a saved plan was decided from is not what is there now; `moved` names each file, unit or step."""

    exit_code = 8

    def __init__(self, moved: Sequence[str], hint: str = "") -> None:
        super().__init__("\n".join(moved), hint)
        self.moved = tuple(moved)


def _different(failures: Sequence[DeployerError]) -> list[tuple[str, str]]:
    """The message and the hint of each error; hosts that failed in the same way share one."""
    hosts: dict[tuple[str, str], list[str]] = {}
    for each in failures:
        host = each.host if isinstance(each, HostUnreachable | HostFailed) else ""
        why = each.message.removeprefix(f"{host}: ") if host else each.message
        hosts.setdefault((why, each.hint), []).extend([host] if host else [])
    return [(": ".join(filter(None, (", ".join(names), why))), hint) for (why, hint), names in hosts.items()]


def together(failures: Sequence[DeployerError]) -> DeployerError:
    """Several hosts' failures as one error: the only one itself, else all, with the exit code of the worst."""
    if len(failures) == 1:
        return failures[0]
    worst = next((error for error in failures if isinstance(error, HostUnreachable)), failures[0])
    return ManyFailed(failures, worst.exit_code)
