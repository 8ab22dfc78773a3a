"""What a reload of the proxy asks first: whether the host has the addresses that it is to listen on."""

import subprocess
import sys

import pytest

from deployer.proxy import check_binds

NOWHERE = "203.0.113.9"  # an address for documentation, which no host has


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("    bind 127.0.0.1:8004", []),
        (f"    bind {NOWHERE}:8004 ssl crt /x", [NOWHERE]),
        (f"    bind 127.0.0.1:8004,{NOWHERE}:8005", [NOWHERE]),
        ("    bind [2001:db8::9]:8004", ["2001:db8::9"]),
        ("    bind *:8004", []),
        ("    bind :8004", []),
        ("    bind /run/x.sock", []),
        ("    bind heat.example:8004", []),
        ('    bind "${HERE}:8004"', []),
        (f"    # bind {NOWHERE}:8004", []),
        (f"    server x {NOWHERE}:8004", []),
    ],
)
def test_addresses_that_the_host_does_not_have_are_found(line, found):
    assert check_binds.missing(f"listen rest\n{line}\n") == found


@pytest.mark.parametrize(
    ("address", "code", "said"),
    [("127.0.0.1", 0, ""), (NOWHERE, 1, f"this host does not have {NOWHERE}: the proxy goes on with what it has\n")],
)
def test_program_reports_what_is_missing_and_fails(tmp_path, address, code, said):
    path = tmp_path / "apis-proxy.conf"
    path.write_text(f"listen rest\n    bind {address}:8004\n")

    ran = subprocess.run([sys.executable, "-I", check_binds.__file__, path], capture_output=True, text=True, timeout=20)

    assert (ran.returncode, ran.stderr) == (code, said)
