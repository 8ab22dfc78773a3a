"""Finds what would keep TLS from working: files, certificates and programs of the hosts. Pure."""

from collections.abc import Iterator, Mapping

from deployer.desired import desired_state
from deployer.heat import service_units
from deployer.inventory.schema import Inventory
from deployer.model.facts import Facts, Observation
from deployer.model.tls import Certificate, Trust
from deployer.proxy import config

DAY = 86400.0  # seconds
EXPIRES_SOON = 30 * DAY  # seconds of life left below which a certificate is named in a warning
WITH_TLS = "-DUWSGI_SSL"  # among the flags that a uWSGI was compiled with
FIELDS = {
    service_units.APIS: "heat.tls",
    config.CLIENT_CERTIFICATE: "proxy.tls",
    config.BACKEND_CA: "proxy.backend_tls",
}
HINTS = {
    service_units.APIS: (
        "put a PEM file with the certificate and its chain there, and one with its key, for Heat's user."
    ),
    config.CLIENT_CERTIFICATE: "put a PEM file with certificate, chain and private key there.",
    config.BACKEND_CA: "put a PEM file with the certificates of your authorities there.",
}


def problems(inventory: Inventory, observed: Mapping[str, Observation]) -> tuple[str, ...]:
    """One line for each problem of TLS on each host: `host: what is wrong: what to do`."""
    return tuple(problem for name, each in observed.items() for problem in _problems(inventory, name, each.facts))


def warnings(observed: Mapping[str, Observation]) -> tuple[str, ...]:
    """One line for each certificate that expires soon, or has expired."""
    return tuple(
        f"{name}: the certificate of `{FIELDS[purpose]}` {_expiry(each.left)}: replace it and deploy."
        for name, host in observed.items()
        for purpose, each in host.facts.certificates.items()
        if each.left is not None and each.left < EXPIRES_SOON
    )


def _problems(inventory: Inventory, name: str, facts: Facts) -> Iterator[str]:
    for purpose, each in facts.certificates.items():
        if each.why:
            yield f"{name}: `{FIELDS[purpose]}`: {each.why}: {HINTS[purpose]}"
    trust = desired_state.trust_in(inventory, name)
    if trust and service_units.APIS in facts.certificates:
        yield from _refused_by_proxy(name, facts.certificates[service_units.APIS], trust)
        yield from _without_openssl(name, facts)


def _refused_by_proxy(name: str, certificate: Certificate, trust: Trust) -> Iterator[str]:
    """What the proxy would refuse in the certificate of a host's APIs."""
    if certificate.why:
        return
    if certificate.left is not None and certificate.left <= 0:
        yield f"{name}: the certificate of `heat.tls` {_expiry(certificate.left)}: the proxy would refuse it; renew it."
    if not any(covers(pattern, trust.name) for pattern in certificate.names):
        yield (
            f"{name}: the certificate of `heat.tls` is for {', '.join(certificate.names) or 'no name'}, not for "
            f"{trust.name}: issue it for that name, or set `heat.tls.name` of this host."
        )


def covers(pattern: str, name: str) -> bool:
    """Whether a name of a certificate, the first part of which may be `*`, stands for a server's name."""
    pattern, name = pattern.lower(), name.lower()
    return pattern == name or pattern.startswith("*.") and pattern[1:] == name[name.find(".") :]


def _without_openssl(name: str, facts: Facts) -> Iterator[str]:
    """uWSGI is built without TLS where OpenSSL's headers were missing; only its own flags show that."""
    for path in facts.paths.get("uwsgi", ())[:1]:
        answer = facts.answers.get(path, {})
        if answer.get("why"):
            yield f"{name}: `{path} --cflags` failed ({answer['why']}): `heat.tls` needs a uWSGI that works."
        elif WITH_TLS not in answer.get("printed", ""):
            yield (
                f"{name}: {path} was built without OpenSSL and cannot serve TLS: install the distribution's uwsgi, "
                "or build it again where libssl-dev is installed."
            )


def _expiry(left: float) -> str:
    days = int(abs(left) // DAY)
    count = "less than a day" if not days else "1 day" if days == 1 else f"{days} days"
    return f"expires in {count}" if left > 0 else f"expired {count} ago"
