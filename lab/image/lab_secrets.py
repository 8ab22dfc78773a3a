"""The lab's passwords: new for every build, and full of the characters that configuration files trip over."""

import secrets
import string
from collections.abc import Mapping
from urllib.parse import quote

AWKWARD = "$%@:/#"
# No slash for the broker: oslo.messaging decodes a URL's password and encodes it again without its slashes (18.3.1).
AWKWARD_MARKS = {"heat_database": AWKWARD, "broker": "$%@:#", "service": AWKWARD, "domain_admin": AWKWARD}
PLAIN_NAMES = ("keystone_database", "admin", "demo")


def fresh() -> dict[str, str]:
    """Return new passwords by what they open, and Heat's key of 32 characters."""
    awkward = {name: awkward_password(marks) for name, marks in AWKWARD_MARKS.items()}
    plain = {name: plain_password(24) for name in PLAIN_NAMES}
    return {**awkward, **plain, "encryption_key": plain_password(32)}


def awkward_password(marks: str) -> str:
    """Return a password that holds each of the marks, between letters."""
    shuffled = secrets.SystemRandom().sample(marks, len(marks))
    return plain_password(6) + "".join(mark + plain_password(2) for mark in shuffled)


def plain_password(length: int) -> str:
    """Return random letters and digits."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))


def in_url(password: str) -> str:
    """Encode a password for a connection URL in a configuration file."""
    return quote(password, safe="")


def in_conf(password: str) -> str:
    """Write a password as oslo.config reads it back: a dollar sign would begin a substitution."""
    return password.replace("$", "$$")


def placeholders(passwords: Mapping[str, str], address: str) -> dict[str, str]:
    """Return what the templates of heat.conf and keystone.conf want to know."""
    return {
        "address": address,
        "encryption_key": passwords["encryption_key"],
        "broker_in_url": in_url(passwords["broker"]),
        "database_in_url": in_url(passwords["heat_database"]),
        "keystone_database_in_url": in_url(passwords["keystone_database"]),
        "service_in_conf": in_conf(passwords["service"]),
        "domain_admin_in_conf": in_conf(passwords["domain_admin"]),
    }
