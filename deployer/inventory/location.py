"""Where the inventory of a command is. It imports no library, so that completing a command line stays fast."""

import os.path
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "HEAT_SCALEOUT_INVENTORY"
DEFAULT = "inventories/lab.yaml"


def locate(argument: str | None, environ: Mapping[str, str], cwd_root: Path, configured: object = None) -> Path:
    """Return the inventory's path: of the argument, the environment, invoke.yaml (`configured`) or the default.

    Each is a path, or the name of a file in `cwd_root`/inventories with or without its suffix.
    """
    wanted = argument or environ.get(VARIABLE) or str(configured or DEFAULT)  # YAML may say anything
    near = cwd_root / "inventories" / wanted
    candidates = [Path(wanted), cwd_root / wanted, near, Path(f"{near}.yaml")]
    return next((path for path in candidates if os.path.isfile(path)), Path(wanted))  # noqa: PTH113


def names_in(folder: Path) -> list[str]:
    """Return the names of the inventories in a folder, without their suffix."""
    return sorted(found.stem for found in folder.glob("*.yaml"))
