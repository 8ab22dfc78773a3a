"""Logs in to Keystone and finds Heat in the catalogue, as a user of the cloud does. Knows openstacksdk."""

import ipaddress
import logging
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deployer import errors
from deployer.model.names import Endpoint
from deployer.model.service import Service
from deployer.verify.smoke.result import CheckFailed

ANSWER_LIMIT = 60  # seconds for one request
CATALOGUE = {Service.API: "orchestration", Service.CFN: "cloudformation"}  # the service types of Heat's two APIs
SECRET_WORDS = ("password", "secret", "token", "passcode")


@dataclass(frozen=True)
class Cloud:
    """A login. `connection` is openstacksdk's; `secrets` are texts of it that must never be shown."""

    connection: Any = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)

    def endpoint(self, service: Service) -> str:
        """The address of an API in the catalogue, without a final slash; raise CheckFailed when there is none."""
        kind = CATALOGUE[service]
        url = self.connection.config.get_session_client(kind).get_endpoint()
        if not url:
            raise CheckFailed(f"the catalogue has no {kind} endpoint for this region and interface")
        return url.rstrip("/")

    def get(self, url: str, headers: Mapping[str, str]) -> Any:
        """Send a GET without a token over a connection of its own, and return the answer whatever its status."""
        all_headers = {"Connection": "close", **headers}
        return self.connection.session.get(
            url, headers=all_headers, authenticated=False, raise_exc=False, redirect=False
        )


def chosen(cloud: str | None, clouds_file: str | None) -> Cloud:
    """Given names or None, return the cloud that openstacksdk would take; nothing is contacted.

    Raise BadInput when the file or the cloud does not exist, or the libraries are not installed.
    """
    try:
        import openstack
        from keystoneauth1 import exceptions
        from openstack import config
    except ImportError as error:
        raise not_installed(error.name or "openstacksdk") from None
    _quiet("keystoneauth", "openstack", "botocore")
    if clouds_file and not Path(clouds_file).is_file():
        raise errors.BadInput(f"there is no {clouds_file}", hint="`verify.clouds_file` of the inventory names it.")
    try:
        region = config.OpenStackConfig(**_files(clouds_file)).get_one(cloud=cloud, api_timeout=ANSWER_LIMIT)
    except (openstack.exceptions.SDKException, exceptions.ClientException) as error:
        raise errors.BadInput(f"no cloud to log in to: {error}", hint="Name one: --cloud, or OS_CLOUD.") from None
    return Cloud(openstack.connection.Connection(config=region, app_name="heat-scaleout"), _secrets(region.config))


def not_installed(module: str) -> errors.BadInput:
    """The error for a library that only a proof needs."""
    return errors.BadInput(
        f"`invoke verify` needs {module}, which is not installed",
        hint="The installation is not complete: make it again.",
    )


def expected_errors() -> tuple[type[Exception], ...]:
    """What a cloud that does not work makes the libraries raise."""
    import openstack
    from keystoneauth1 import exceptions

    return openstack.exceptions.SDKException, exceptions.ClientException


def log_in(cloud: Cloud) -> str:
    """Get a token from Keystone and return for whom; raise what the libraries raise."""
    cloud.connection.authorize()
    access = cloud.connection.session.auth.get_access(cloud.connection.session)
    return f"{access.username or access.user_id}, project {access.project_name or access.project_id}"


def led_to_proxy(cloud: Cloud, binds: Mapping[Service, Endpoint], secure: bool) -> str:
    """Return where the catalogue leads clients; raise CheckFailed when that is not where the proxy listens."""
    urls = {service: cloud.endpoint(service) for service in CATALOGUE}
    wrong = [
        f"the {CATALOGUE[service]} endpoint is {url}: {why}"
        for service, url in urls.items()
        if (why := mismatch(url, _addresses(url), binds[service], secure))
    ]
    if wrong:
        raise CheckFailed("; ".join(wrong))
    return ", ".join(urls.values())


def mismatch(url: str, addresses: Iterable[str], bind: Endpoint, secure: bool) -> str:
    """Given an endpoint and what its host resolves to, return why it is not the proxy's bind; "" when it is.

    A wildcard bind takes any address: that it is the proxy's own is seen from its counters.
    """
    parts, scheme = urlsplit(url), "https" if secure else "http"
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if parts.scheme != scheme:
        return f"the proxy speaks {scheme}"
    if port != bind.port:
        return f"the proxy listens on port {bind.port}"
    known = {ipaddress.ip_address(address) for address in addresses}
    if not bind.is_wildcard and ipaddress.ip_address(bind.address) not in known:
        return f"the proxy listens at {bind}"
    return ""


def _addresses(url: str) -> set[str]:
    host = urlsplit(url).hostname or ""
    try:
        return {str(found[4][0]).partition("%")[0] for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError as error:
        raise CheckFailed(f"{host} of {url} cannot be resolved: {error}") from None


def _quiet(*libraries: str) -> None:
    """Keep libraries from logging: in detail they would log Keystone's answers, with the secret keys in them."""
    for library in libraries:
        logging.getLogger(library).addHandler(logging.NullHandler())
        logging.getLogger(library).setLevel(logging.WARNING)


def _files(clouds_file: str | None) -> dict[str, Any]:
    """Where openstacksdk reads a cloud from; the passwords may be in a secure.yaml beside, as in its own places."""
    if not clouds_file:
        return {}
    secure = Path(clouds_file).with_name("secure.yaml")
    return {"config_files": [clouds_file], **({"secure_files": [str(secure)]} if secure.is_file() else {})}


def _secrets(config: Mapping[str, Any]) -> tuple[str, ...]:
    auth = config.get("auth") or {}
    return tuple(str(value) for key, value in auth.items() if value and any(word in key for word in SECRET_WORDS))
