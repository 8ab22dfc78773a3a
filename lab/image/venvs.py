"""The layers that come from PyPI: Heat's and Keystone's venvs, exactly as locked, and uWSGI built once."""

import sys
from pathlib import Path

from lab import command
from lab.image import cache, debian, workbench
from lab.image.cache import Layer
from lab.lab_errors import BadInput

LOCKS = Path(__file__).parents[1] / "locks"
PYTHON = "3.11"
WHEELS = "/srv/wheels"
LOCK_INSIDE = "/srv/locks"
RELEASES = ("27.0.1", "24.1.2")
LAST_WITH_PROGRAMS = 24
HEADERS = ("libssl-dev",)
UWSGI_PROFILE = "xml=no;ssl=true"


def heat(release: str, tools: Layer) -> Layer:
    """Describe Heat's venv at /opt/heat, with the uWSGI that its APIs run under from 25.0, and earlier may."""
    if release not in RELEASES:
        raise BadInput(f"the lab has no Heat {release}", hint=f"It has {' and '.join(RELEASES)}.")
    return venv(f"heat-{release}", "/opt/heat", tools)


def needs_uwsgi(release: str) -> bool:
    """Tell whether a release has no API programs of its own (they are gone since 25.0.0)."""
    return int(release.split(".")[0]) > LAST_WITH_PROGRAMS


def keystone(tools: Layer) -> Layer:
    """Describe Keystone's venv at /opt/keystone, uWSGI included."""
    return venv("keystone", "/opt/keystone", tools)


def venv(name: str, prefix: str, tools: Layer) -> Layer:
    """Describe one locked venv, uWSGI included, as a layer that holds nothing else."""
    needs = (tools, *tools.needs, uwsgi(tools))
    recipe = (lock(name).read_text(), prefix, Path(__file__).read_text())
    return Layer(name, recipe, lambda layer, aside: build_venv(layer, aside, prefix), needs)


def uwsgi(tools: Layer) -> Layer:
    """Describe the folder with uWSGI's wheel; PyPI has its source only."""
    headers = Layer(
        "openssl", HEADERS, lambda layer, aside: debian.build_packages(layer, aside, HEADERS), (tools, *tools.needs)
    )
    return Layer("uwsgi", (lock("uwsgi").read_text(), UWSGI_PROFILE), build_uwsgi, (headers, *headers.needs))


def build_venv(layer: Layer, aside: Path, prefix: str) -> None:
    """Install a lock file's packages into a venv, compile them, and keep the venv alone."""
    wheels = cache.ensure(downloads(layer.name))
    binds = {wheels: WHEELS, LOCKS: LOCK_INSIDE}
    pip = [f"{prefix}/bin/pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile"]
    benches = [need for need in layer.needs if need.name != "uwsgi"]
    with workbench.over(benches, aside, layer.log) as bench:
        workbench.inside(bench, ["python3", "-m", "venv", prefix])
        wanted = [f"--find-links={WHEELS}", "--requirement", f"{LOCK_INSIDE}/{layer.name}.txt"]
        workbench.inside(bench, [*pip, *wanted], binds)
        for extra in (need for need in layer.needs if need.name == "uwsgi"):
            binds = {cache.ensure(extra): WHEELS}
            workbench.inside(bench, [*pip, f"--find-links={WHEELS}", "uwsgi"], binds)
        workbench.inside(bench, ["python3", "-m", "compileall", "-q", "-j", "2", f"{prefix}/lib"])
    target = aside / "layer" / prefix.lstrip("/")
    target.parent.mkdir(parents=True)
    (bench.upper / prefix.lstrip("/")).rename(target)


def build_uwsgi(layer: Layer, aside: Path) -> None:
    """Compile uWSGI with OpenSSL, without libxml2, which no host has, and keep the wheel."""
    source, out = aside / "source", aside / "layer"
    source.mkdir()
    out.mkdir()
    download(layer, source, ["--no-binary=:all:", "--requirement", str(lock("uwsgi"))])
    archive = next(source.iterdir()).name
    pip = ["python3", "-m", "pip", "wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir=/srv/out"]
    settings = {"UWSGI_PROFILE_OVERRIDE": UWSGI_PROFILE, "CPUCOUNT": "2"}
    with workbench.over(layer.needs, aside, layer.log) as bench:
        workbench.inside(bench, [*pip, f"{WHEELS}/{archive}"], {source: WHEELS, out: "/srv/out"}, settings)


def downloads(name: str) -> Layer:
    """Describe the folder with the wheels of a lock file."""
    return Layer(f"wheels-{name}", (lock(name).read_text(), PYTHON), build_downloads)


def build_downloads(layer: Layer, aside: Path) -> None:
    """Fetch every wheel of a lock file with this machine's pip and its settings."""
    (aside / "layer").mkdir()
    wanted = lock(layer.name.removeprefix("wheels-"))
    only = ["--only-binary=:all:", f"--python-version={PYTHON}"]
    download(layer, aside / "layer", [*only, "--requirement", str(wanted)])


def download(layer: Layer, folder: Path, wanted: list[str]) -> None:
    """Run pip download; its index, certificates and proxies are this machine's own."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"--dest={folder}"]
    command.run_logged([*pip, *wanted], layer.log, timeout=600)


def lock(name: str) -> Path:
    """Return the lock file of that name."""
    return LOCKS / f"{name}.txt"
