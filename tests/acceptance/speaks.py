"""Runs on the proxy's host: how each place speaks, in plain HTTP and over TLS of old and new. Prints JSON.

The argument is JSON: [address, port, name, file of authorities] of each place; without the last two any certificate
is taken.
"""

import json
import socket
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor

LIMIT = 6  # seconds for one word


def context(ca, version=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = bool(ca), ssl.CERT_REQUIRED if ca else ssl.CERT_NONE
    if ca:
        made.load_verify_locations(ca)
    if version:
        made.set_ciphers("ALL:@SECLEVEL=0")  # what is refused is refused by the other side
        made.minimum_version = made.maximum_version = version
    return made


def agreed(place, made, name=None):
    """The version of TLS that both sides take; why there is none."""
    try:
        with socket.create_connection(place, LIMIT) as plain, made.wrap_socket(plain, server_hostname=name) as secure:
            return secure.version(), ""
    except OSError as error:
        return None, str(error)


def answers_plain(place):
    try:
        with socket.create_connection(place, LIMIT) as plain:
            plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
            first = plain.recv(64).split(b"\r\n")[0]
            return first.startswith(b"HTTP/") and b" 400 " not in first
    except OSError:
        return False


def seen(address, port, name, ca):
    place = (address, port)
    version, why = agreed(place, context(ca), name)
    old = [agreed(place, context(None, each))[0] for each in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)]
    return {
        "place": place,
        "version": version,
        "why": why,
        "plain": answers_plain(place),
        "old": [each for each in old if each],
    }


with ThreadPoolExecutor(32) as pool:  # who speaks plain HTTP keeps each question waiting to its limit
    json.dump(list(pool.map(lambda each: seen(*each), json.loads(sys.argv[1]))), sys.stdout)
