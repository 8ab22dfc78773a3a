"""Modules that run when they are first used: what a command has loaded when it begins to connect, and the collector."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest
import sites

from deployer.model import lazy

PROGRAM = """
import sys
from deployer.heat.redacting_fleet import RedactingFleet

def opened(self, *hosts):
    print("connecting", sorted({"jinja2", "deployer.plan.diff"} & set(sys.modules)))
    raise SystemExit(0)

RedactingFleet.open = opened
from deployer.cli.program import main
sys.argv = ["heat-scaleout", *sys.argv[1:]]
sys.exit(main())
"""


@pytest.mark.parametrize(
    "words",
    [
        ("deploy", "--yes"),
        ("add-engine", "hostB", "--yes"),
        ("plan",),
        ("status",),
        ("drain", "hostB", "--yes"),
        ("logs",),
        ("lock",),
    ],
)
def test_hosts_are_being_connected_to_before_the_pipeline_loads(words: tuple[str, ...], tmp_path: Path) -> None:
    inventory = tmp_path / "lab.yaml"
    lines = (sites.ROOT / "inventories/lab.yaml").read_text().splitlines(keepends=True)
    inventory.write_text("".join(line for line in lines if not line.lstrip().startswith(("key:", "known_hosts:"))))

    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words, "--inventory", str(inventory)],
        cwd=sites.ROOT,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.stdout.splitlines()[:1] == ["connecting []"], ended.stdout + ended.stderr


@pytest.mark.parametrize("is_enabled", [True, False])
def test_collector_is_as_it_was_after_a_module_has_run(is_enabled: bool, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "slow_module.py").write_text("import gc\nduring = gc.isenabled()\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "slow_module", raising=False)
    was_enabled = gc.isenabled()
    loaded = lazy.module("slow_module")
    try:
        gc.enable() if is_enabled else gc.disable()

        assert loaded.during is False
        assert gc.isenabled() is is_enabled
    finally:
        gc.enable() if was_enabled else gc.disable()
        sys.modules.pop("slow_module")


def test_module_that_does_not_exist_is_told_at_once() -> None:
    with pytest.raises(ModuleNotFoundError):
        lazy.module("deployer.no_such_module")
