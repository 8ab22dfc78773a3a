"""What `heat-scaleout --version` says: the versions of the tool, of Python and of every library that it runs with."""

import platform
from collections.abc import Iterator, Sequence
from pathlib import Path

import deployer

TOOL = "heat-scaleout"
# By their names on PyPI; setup.cfg has them all but paramiko, which comes with Fabric.
LIBRARIES = (
    "fabric",
    "invoke",
    "paramiko",
    "Jinja2",
    "oslo.config",
    "pydantic",
    "ruamel.yaml",
    "rich",
    "pytest",
    "pytest-testinfra",
    "openstacksdk",
    "botocore",
)


def text() -> str:
    """Return a line for the tool and where it is, one for Python, and one for each library that is installed."""
    folder = Path(deployer.__file__).parent
    tool = f"{TOOL} {deployer.__version__} ({folder})"
    return "\n".join([tool, f"Python {platform.python_version()}", *_versions(LIBRARIES)])


def _versions(names: Sequence[str]) -> Iterator[str]:
    from importlib import metadata  # 10 ms, which no other command needs to spend

    for name in names:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue
