"""Where the suite of test_fleet.py runs.

To run the same suite on real hosts, import its tests into a module beside a fixture `fleet_under_test` that returns a
Ground of theirs: `from contract.test_fleet import *`.
"""

from dataclasses import dataclass

from deployer.remote.fleet import Fleet


@dataclass(frozen=True)
class Ground:
    """`hosts` answer and can be changed as root, `gone` does not answer; `folder` is for the tests, on every host."""

    fleet: Fleet
    hosts: tuple[str, str]
    gone: str
    folder: str
