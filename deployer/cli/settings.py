"""Invoke's settings as the installed command reads them: of the machine, of the user, and of a folder."""

import errno
from pathlib import Path

from invoke.config import Config


class Settings(Config):
    """Invoke's settings, but no Python files of them: a tool that root runs in any folder runs nothing from there."""

    def _load_py(self, path: str) -> dict[str, object]:
        raise FileNotFoundError(errno.ENOENT, "settings are YAML or JSON", path)


def add_folder(settings: Config, folder: Path) -> None:
    """Add what `invoke.yaml` of a folder says, if there is one; raise what Invoke raises when it cannot be read."""
    settings.set_project_location(str(folder))
    settings.load_project()
