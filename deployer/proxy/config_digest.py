"""The digest in the description of a proxy's configuration, by which a running worker shows what it has read. Pure."""

import re

from deployer.model.state import digest_of

MARK = "heat-scaleout "  # `show info` returns the whole description
_DESCRIPTION = re.compile(rf"(?m)^(    description {MARK})[0-9a-f]*$")


def stated(text: str) -> str:
    """The digest that a configuration states; "" for none."""
    found = _DESCRIPTION.search(text)
    return found[0].rpartition(" ")[2] if found else ""


def signed(text: str, certificates: str = "") -> tuple[str, str]:
    """Return a configuration with its digest in its description, and the digest.

    `certificates` is a digest of what else the proxy reads, so that new files are a new configuration.
    """
    digest = digest_of((_DESCRIPTION.sub(r"\1", text) + certificates).encode())
    return _DESCRIPTION.sub(rf"\g<1>{digest}", text), digest
