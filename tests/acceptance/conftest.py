"""Proves a site from outside: `pytest tests/acceptance --inventory=lab.yaml`. Imports nothing of what it judges."""

from collections.abc import Iterator
from pathlib import Path

import expected
import hosts
import looks
import pytest

SITE = pytest.StashKey[expected.Site]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--inventory", help="the inventory file whose site is proven")


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--inventory")
    if path is None:
        raise pytest.UsageError("the acceptance tests need --inventory FILE")
    if not Path(path).is_file():
        raise pytest.UsageError(f"there is no inventory {path}")
    config.stash[SITE] = expected.read(Path(path))


def pytest_collection_modifyitems(items):
    """Leave out what the site has none of, such as a proxy's checks where only engines are scaled out.

    pytest marks a test without parameters to be skipped; nothing here is skipped for another reason.
    """
    items[:] = [item for item in items if not item.get_closest_marker("skip")]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each thing of the inventory that a test asks for by the name of its argument."""
    site = metafunc.config.stash[SITE]
    subjects = {
        "node": site.nodes.values(),
        "copy": site.copies,
        "process": site.processes,
        "heat_process": [each for each in site.processes if each.kind != "proxy"],
        "api": [each for each in site.processes if each.port],
        "proxy": [each for each in site.processes if each.kind == "proxy"],
        "bind": site.binds,
        "secure_api": [each for each in site.processes if each.name],
        "secure_bind": site.binds if site.proxy.get("tls") else (),
        "origin": [site.origin],
    }
    for name, found in subjects.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, found, ids=lambda each: f"{each.host}-{each.subject}")


@pytest.fixture(scope="session")
def site(pytestconfig: pytest.Config) -> expected.Site:
    """What the inventory asks for."""
    return pytestconfig.stash[SITE]


@pytest.fixture(scope="session")
def seen(site: expected.Site) -> Iterator[dict[str, looks.Look | str]]:
    """Host -> what it has, or why that cannot be said."""
    with hosts.connected({name: node.access for name, node in site.nodes.items()}) as reached:
        yield looks.all_at_once(site, reached)


@pytest.fixture
def look(request: pytest.FixtureRequest, seen: dict[str, looks.Look | str]) -> looks.Look:
    """What the host that a test is about has."""
    return _usable(seen, _subject(request).host)


@pytest.fixture
def source_look(site: expected.Site, seen: dict[str, looks.Look | str]) -> looks.Look:
    """What the source host has."""
    return _usable(seen, site.source)


@pytest.fixture
def proxy_look(site: expected.Site, seen: dict[str, looks.Look | str]) -> looks.Look:
    """What the proxy's host has."""
    return _usable(seen, site.proxy["host"])


@pytest.fixture(autouse=True)
def _recorded(request: pytest.FixtureRequest, record_property) -> None:
    """Put into the JUnit report which host and what a test is about, and what it promises."""
    subject = _subject(request)
    record_property("host", subject.host)
    record_property("subject", subject.subject)
    promise = " ".join(request.function.__doc__.split()).rstrip(".")
    record_property("promise", promise[0].lower() + promise[1:])


def _subject(request: pytest.FixtureRequest):
    return next(iter(request.node.callspec.params.values()))


def _usable(seen: dict[str, looks.Look | str], host: str) -> looks.Look:
    if isinstance(seen[host], str):
        pytest.fail(f"{host} cannot be looked at: {seen[host]}", pytrace=False)
    return seen[host]
