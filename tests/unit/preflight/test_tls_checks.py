"""Problems and warnings of certificates and of the programs that use them."""

from dataclasses import replace

import pytest
import sites

from deployer.model.facts import Observation
from deployer.model.state import HostState
from deployer.model.tls import Certificate
from deployer.observed.observe import SiteObservation
from deployer.preflight import host_checks, tls_checks

DAY = 86400.0
UWSGI = "/opt/heat/bin/uwsgi"
GOOD = Certificate(names=("hostB", "*.example.org"), left=300 * DAY, digest="d")


def tls_inventory(**how):
    return sites.an_inventory(
        **{
            "heat": "tls: {certificate: /etc/ssl/api.pem, key: /etc/ssl/api.key}",
            "proxy": "tls: {certificate: /etc/ssl/site.pem}, backend_tls: {ca: /etc/ssl/ca.pem}",
            "hostC": "",
        }
        | how
    )


def found_with(apis=GOOD, flags="-DUWSGI_SSL", clients=GOOD, why=None):
    answers = {UWSGI: {"printed": flags, "why": why}}
    ours = {"clients": clients, "authorities": Certificate(digest="a")}
    return {
        "hostA": Observation(HostState(), sites.facts(certificates=ours)),
        "hostB": Observation(HostState(), sites.facts(certificates={"apis": apis}, answers=answers)),
    }


def problems(inventory=None, **how):
    return tls_checks.problems(inventory or tls_inventory(), found_with(**how))


def test_certificates_as_they_should_be_are_no_problem_and_no_warning():
    assert (problems(), tls_checks.warnings(found_with())) == ((), ())


def test_site_without_tls_is_no_business_of_this():
    inventory = sites.an_inventory()

    assert tls_checks.problems(inventory, sites.bare(inventory)) == ()


@pytest.mark.parametrize(
    ("how", "host", "words"),
    [
        ({"apis": Certificate(why="/etc/ssl/api.pem: none")}, "hostB", "`heat.tls`: /etc/ssl/api.pem: none: put a PEM"),
        ({"clients": Certificate(why="/etc/ssl/site.pem: x")}, "hostA", "`proxy.tls`: /etc/ssl/site.pem: x: put a PEM"),
        ({"apis": replace(GOOD, left=-3 * DAY - 1)}, "hostB", "expired 3 days ago: the proxy would refuse it"),
        ({"apis": replace(GOOD, names=("other",))}, "hostB", "is for other, not for hostB"),
        ({"apis": replace(GOOD, names=())}, "hostB", "is for no name, not for hostB"),
        ({"flags": "-O2 -DUWSGI_PCRE"}, "hostB", f"{UWSGI} was built without OpenSSL"),
        ({"why": "no answer in 10 s"}, "hostB", "failed (no answer in 10 s)"),
    ],
)
def test_what_tls_cannot_work_with_is_reported_with_what_to_do(how, host, words):
    (sentence,) = problems(**how)

    assert sentence.startswith(f"{host}: ")
    assert words in sentence


def test_name_of_the_inventory_is_the_one_that_counts():
    entry = (
        "{address: 10.0.0.2, api: 1, heat: {tls: {certificate: /etc/ssl/a.pem, key: /etc/ssl/a.key, "
        "name: api-1.example.org}}}"
    )

    assert problems(tls_inventory(hostB=entry), apis=replace(GOOD, names=("*.Example.org",))) == ()


@pytest.mark.parametrize(
    ("pattern", "name", "covered"),
    [
        ("hostB", "HOSTb", True),
        ("*.a.org", "x.a.org", True),
        ("*.a.org", "x.y.a.org", False),
        ("*.a.org", "a.org", False),
        ("*", "hostB", False),
        ("x.a.org", "y.a.org", False),
    ],
)
def test_wildcard_of_a_certificate_stands_for_one_part_of_a_name(pattern, name, covered):
    assert tls_checks.covers(pattern, name) is covered


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (29.5 * DAY, "expires in 29 days"),
        (1.5 * DAY, "expires in 1 day:"),
        (60.0, "expires in less than a day"),
        (-60.0, "expired less than a day ago"),
        (-40 * DAY, "expired 40 days ago"),
    ],
)
def test_certificate_of_the_proxy_that_ends_soon_or_has_ended_is_a_warning(left, words):
    observed = found_with(clients=replace(GOOD, left=left))

    (sentence,) = tls_checks.warnings(observed)
    assert sentence.startswith("hostA: the certificate of `proxy.tls` ")
    assert words in sentence
    assert tls_checks.problems(tls_inventory(), observed) == ()


@pytest.mark.parametrize(
    ("installed", "words"),
    [
        (
            ("openstack_heat-22.0.0.dist-info", "heat-api"),
            "serves its APIs with heat-api only, which does not support TLS",
        ),
        (sites.HEAT_24, "needs uWSGI"),
    ],
)
def test_heat_that_cannot_serve_tls_is_refused_before_anything_is_changed(installed, words):
    inventory = tls_inventory()
    observed = {name: Observation(HostState(), sites.facts(installed)) for name in inventory.hosts}

    (sentence,) = host_checks.problems(inventory, SiteObservation(observed, {}), {})
    assert words in sentence
