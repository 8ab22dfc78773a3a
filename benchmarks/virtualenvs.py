"""Throw-away virtual environments for the other tools, in the user's cache, one a list of exact versions."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
INSTALL_LIMIT = 600  # seconds


def ensure(tool: str) -> Path:
    """Return the folder of a tool's programs, installed now unless it is there."""
    home = folder(tool)
    if not (home / "installed").exists():
        print(f"bench: installing {version(tool)} into the cache ...", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True, timeout=INSTALL_LIMIT)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--requirement", str(listed(tool))]
        subprocess.run(pip, check=True, timeout=INSTALL_LIMIT)
        (home / "installed").touch()
    return home / "bin"


def folder(tool: str) -> Path:
    """Where a tool is installed: another list is another folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    key = hashlib.sha256(listed(tool).read_bytes()).hexdigest()[:12]
    return cache / "heat-scaleout" / "benchmarks" / f"{tool}-{key}"


def version(tool: str) -> str:
    """The tool itself, such as "pyinfra 3.10.0": the first line of its list that is no comment."""
    lines = listed(tool).read_text().splitlines()
    return next(line for line in lines if "==" in line and not line.startswith("#")).replace("==", " ")


def listed(tool: str) -> Path:
    return HERE / f"requirements-{tool}.txt"
