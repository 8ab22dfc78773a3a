"""Holds what preflight found, a sentence each: problems and warnings."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Findings:
    """`problems` must be fixed before the first change; `warnings` are what an operator should know."""

    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __add__(self, more: "Findings") -> "Findings":
        return Findings(self.problems + more.problems, self.warnings + more.warnings)
