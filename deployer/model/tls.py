"""What TLS is about: whom to trust, and what a host has to be trusted with. Part of the frozen vocabulary."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Trust:
    """What a TLS server must prove: a name, by a certificate of the authorities in the file `ca`."""

    name: str
    ca: str


@dataclass(frozen=True)
class Certificate:
    """Files of a TLS server or client as a host sees them. `why`: what makes them unusable (None: nothing).

    `names` are those of the certificate, `left` the seconds until it ends (None for a file of authorities); `digest`
    is that of the files.
    """

    why: str | None = None
    names: tuple[str, ...] = ()
    left: float | None = None
    digest: str = ""
