"""The lab refuses a subnet that leads elsewhere already."""

import json

import pytest

from lab import command, network
from lab.lab_errors import BadInput

ROUTES = [
    {"dst": "default", "dev": "eth0"},
    {"dst": "192.0.2.0/24", "dev": "eth0"},
    {"dst": "198.18.0.0/24", "dev": "heatlab0"},
    {"type": "blackhole", "dst": "198.18.0.0/24", "metric": 4096},
]


@pytest.fixture
def routes(monkeypatch):
    """The machine's routes: a list that a test may add to."""
    listed = [dict(route) for route in ROUTES]
    monkeypatch.setattr(command, "run", lambda _argv: json.dumps(listed))
    return listed


def test_default_route_and_the_labs_own_are_no_strangers(routes):
    network.require_free(0)


@pytest.mark.parametrize("stranger", ["198.18.0.0/15", "198.18.0.7", "198.18.0.128/25"])
def test_route_of_someone_else_is_refused_by_name(routes, stranger):
    routes.append({"dst": stranger, "dev": "vpn0"})
    with pytest.raises(BadInput, match="vpn0"):
        network.require_free(0)


def test_route_to_another_labs_subnet_does_not_matter(routes):
    routes.append({"dst": "198.18.1.0/24", "dev": "vpn0"})
    network.require_free(0)


def test_blackhole_of_someone_else_is_a_stranger_too(routes):
    routes.append({"type": "blackhole", "dst": "198.18.0.0/24"})
    with pytest.raises(BadInput, match="blackhole"):
        network.require_free(0)
