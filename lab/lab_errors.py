"""What can go wrong with the lab, said to the operator in two lines; every kind has its exit code."""


class LabError(Exception):
    """Something the operator should know: what failed and why, and what to do next."""

    exit_code = 5

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class BadInput(LabError):
    """The operator asked for something the lab cannot be."""

    exit_code = 3


class HostFailed(LabError):
    """A host, or the building of its image, failed."""

    exit_code = 5


class LabTaken(LabError):
    """Another checkout or another run holds the lab."""

    exit_code = 6
