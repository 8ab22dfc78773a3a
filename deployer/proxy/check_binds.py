"""Whether a host has every address that a HAProxy's configuration listens on: a program that the proxy's host keeps.

A reload for an address that is not there makes HAProxy 2.6 pause its old worker for two seconds, in which clients are
refused; `haproxy -c` does not try. Standard library only. Argument: the configuration's path; ends with 1 and says why.
"""

import errno
import ipaddress
import re
import socket
import sys
from pathlib import Path

BIND = re.compile(r"(?m)^\s*bind\s+(\S+)")


def missing(text):
    """The addresses of a configuration's binds that nobody can listen on here."""
    return [address for address in addresses(text) if not is_here(address)]


def addresses(text):
    """The numeric addresses of all binds; `*`, names, sockets and variables are HAProxy's to judge."""
    for place in (each for found in BIND.finditer(text) for each in found.group(1).split(",")):
        address = place.rpartition(":")[0].strip("[]")
        try:
            ipaddress.ip_address(address)
        except ValueError:
            continue
        yield address


def is_here(address):
    """Whether this host has an address; True where that is not known."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            probe.bind((address, 0))
    except OSError as error:
        return error.errno != errno.EADDRNOTAVAIL
    return True


def main():
    """Judge the configuration that is named, and end with what is missing."""
    found = missing(Path(sys.argv[1]).read_text())
    if found:
        sys.exit(f"this host does not have {', '.join(found)}: the proxy goes on with what it has")


if __name__ == "__main__":
    main()
