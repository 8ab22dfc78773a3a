"""The wheel of this checkout, and the tool in an environment of its own: for tests of what an operator installs."""

import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
# What a build reads, and more that it must leave out.
CHECKOUT = "setup.py setup.cfg pyproject.toml MANIFEST.in README.md LICENSE tasks.py deployer lab templates tests"
INSTALL_TIMEOUT = 300.0  # seconds, with every library from PyPI on a busy machine


@dataclass(frozen=True)
class Installed:
    """The tool in an environment, and the folder that it is run from."""

    environment: Path
    folder: Path

    def run(self, *arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run it as an operator would, without the variables of this process; fail unless it ends with `code`."""
        ran = subprocess.run(
            [self.environment / "bin/heat-scaleout", *map(str, arguments)],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert ran.returncode == code, f"{arguments} ended with {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        assert "Traceback" not in ran.stderr
        return ran


def built(folder: Path) -> Path:
    """Return the wheel, built without a network from a copy of the checkout in which an earlier version was built."""
    for name in CHECKOUT.split():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder)
    (folder / "build/lib/deployer").mkdir(parents=True)
    (folder / "build/lib/deployer/renamed_since.py").touch()
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder / "wheels", folder)
    (wheel,) = (folder / "wheels").glob("*.whl")
    return wheel


def environment(folder: Path, *what: object) -> Path:
    """Return a fresh environment in which pip has installed something, given as it takes it."""
    venv.create(folder, with_pip=False)
    pip("--python", folder / "bin/python", "install", *what)
    return folder


def pip(*arguments: object) -> None:
    """Run pip of this environment; fail unless it ends well."""
    ran = subprocess.run([sys.executable, "-m", "pip", "--quiet", *map(str, arguments)], timeout=INSTALL_TIMEOUT)
    assert ran.returncode == 0
