"""The lab's own certificate authority, and what it gives each host so that TLS can be tried there."""

import os
import re
from pathlib import Path

from lab import command

CERTIFICATE, KEY = "ca.pem", "ca.key"
FOLDER = "etc/ssl/heat-lab"  # below a host's root
DAYS = 365
CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def make(target: Path) -> None:
    """Make the lab's authority in its folder unless it is there."""
    if not (target / KEY).exists():
        request = [
            "openssl",
            "req",
            "-x509",
            *CURVE,
            "-subj",
            "/CN=heat-lab",
            "-days",
            str(DAYS),
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        ]
        command.run([*request, "-out", str(target / CERTIFICATE), "-keyout", str(target / KEY)])


def sign(target: Path, name: str, address: str, days: int = DAYS) -> tuple[str, str]:
    """Return a fresh certificate of the lab's authority for a host's name and address, and its key, both as PEM."""
    request = [
        "openssl",
        "req",
        "-x509",
        *CURVE,
        "-subj",
        f"/CN={name}",
        "-days",
        str(days),
        "-addext",
        f"subjectAltName=DNS:{name},IP:{address}",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ]
    issuer = ["-CA", str(target / CERTIFICATE), "-CAkey", str(target / KEY)]
    made = command.run([*request, *issuer, "-out", "/dev/stdout", "-keyout", "/dev/stdout"])
    blocks = re.findall(r"-----BEGIN .*?-----END [^\n]*-----\n", made, re.DOTALL)
    (key,) = (block for block in blocks if "PRIVATE KEY" in block)
    (certificate,) = (block for block in blocks if "CERTIFICATE" in block)
    return certificate, key


def equip(tree: Path, target: Path, name: str, address: str) -> None:
    """Give a host the authority's certificate, one of its own for its APIs, and one as a proxy takes it."""
    folder = tree / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = sign(target, name, address)
    (folder / CERTIFICATE).write_text((target / CERTIFICATE).read_text())
    (folder / "api.pem").write_text(certificate)
    _keep(folder / "api.key", key, _group(tree, "heat"))
    _keep(folder / "proxy.pem", certificate + key, 0)


def _keep(path: Path, text: str, group: int) -> None:
    """Write a file that only root, and a group of the host, may read."""
    path.touch(mode=0o600)
    os.chown(path, 0, group)
    path.chmod(0o640 if group else 0o600)
    path.write_text(text)


def _group(tree: Path, name: str) -> int:
    found = re.search(rf"^{name}:[^:]*:(\d+):", (tree / "etc/group").read_text(), re.MULTILINE)
    assert found, f"the system layer has no group {name}"
    return int(found[1])
