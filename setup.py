"""Puts into the wheel what a checkout has beside the package; metadata and dependencies are in setup.cfg."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

# folder of the checkout -> folder of the wheel
BUNDLED = {"templates": "deployer/templates", "tests/acceptance": "deployer/acceptance"}


class BuildWithFolders(build_py):
    """The package with the templates and the acceptance suite inside, and nothing of an earlier build."""

    def run(self) -> None:
        if self.editable_mode:  # an editable installation reads the checkout itself
            super().run()
            return
        # setuptools never deletes here: a module that was renamed would stay in every later wheel
        shutil.rmtree(Path(self.build_lib) / "deployer", ignore_errors=True)
        super().run()
        for source, target in BUNDLED.items():
            shutil.copytree(source, Path(self.build_lib) / target, ignore=shutil.ignore_patterns("__pycache__"))


setup(cmdclass={"build_py": BuildWithFolders})
