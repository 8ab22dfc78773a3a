"""The kinds of process that this product runs."""

from enum import StrEnum


class Service(StrEnum):
    """The four kinds of process this product runs; the values are written in the inventory and in JSON."""

    API = "api"
    CFN = "cfn"
    ENGINE = "engine"
    PROXY = "proxy"
