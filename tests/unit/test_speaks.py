"""What the witness's script on the proxy's host says of servers that speak plain HTTP, TLS, and as somebody else."""

import contextlib
import http.server
import json
import ssl
import subprocess
import sys
import threading

import pytest
import sites

from lab import authority

SCRIPT = sites.ROOT / "tests/acceptance/speaks.py"


@pytest.fixture(scope="module")
def issued(tmp_path_factory):
    folder = tmp_path_factory.mktemp("issued")
    authority.make(folder)
    (folder / "both.pem").write_text("".join(authority.sign(folder, "hostB", "127.0.0.1")))
    return folder


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def a_server(folder=None, oldest=None):
    """A server of plain HTTP or, given a folder with a certificate, of TLS; its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    if folder:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "both.pem")
        if oldest:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = oldest
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def said(port, name=None, ca=None):
    asked = json.dumps([["127.0.0.1", port, name, ca and str(ca)]])
    ran = subprocess.run([sys.executable, "-W", "ignore", SCRIPT, asked], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    (found,) = json.loads(ran.stdout)
    return found


def test_server_of_plain_http_is_seen_as_such():
    with a_server() as port:
        found = said(port)

    assert (found["plain"], found["version"], found["old"]) == (True, None, [])


def test_server_that_proves_its_name_speaks_new_tls_alone(issued):
    with a_server(issued) as port:
        found = said(port, "hostB", issued / "ca.pem")

    assert (found["plain"], found["version"], found["old"]) == (False, "TLSv1.3", [])


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning")
def test_server_that_takes_old_tls_is_found_out(issued):
    with a_server(issued, ssl.TLSVersion.TLSv1_1) as port:
        found = said(port, "hostB", issued / "ca.pem")

    assert found["old"] == ["TLSv1.1"]


def test_server_that_proves_another_name_is_told_with_the_reason(issued):
    with a_server(issued) as port:
        found = said(port, "hostC", issued / "ca.pem")

    assert found["version"] is None
    assert "hostC" in found["why"]
