"""A drain that HAProxy was told of outlives a reload by anyone, but not one that brings it a configuration of ours."""

import json
import re
import signal
import socket
import subprocess
import time

import pytest

from deployer.proxy import config, runtime_api
from deployer.remote.agent import haproxy_state, probes, programs, sockets

CONFIG = """\
global
    stats socket {folder}/stats.sock mode 600 level admin expose-fd listeners
    server-state-file {folder}/drained
defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
    load-server-state-from-file global
listen section
    bind 127.0.0.1:{port}
    server one 127.0.0.1:{other}
    server two 127.0.0.1:{other} weight 0
"""
RUN = config.DRAINED_STATE_FILE.removesuffix("/drained")
LIMIT = 10.0  # seconds


class Proxy:
    """A HAProxy of the test's own, told and asked as the product does."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "drained").write_text(haproxy_state.VERSION)
        (folder / "apis-proxy.conf").write_text(CONFIG.format(folder=folder, port=free_port(), other=free_port()))
        self.process = subprocess.Popen(
            ["/usr/sbin/haproxy", "-Ws", "-f", folder / "apis-proxy.conf", "-S", f"{folder}/master.sock,mode,0600"],
            stderr=subprocess.PIPE,
        )
        self.until(lambda: self.statuses())

    def here(self, step):
        """The step with this proxy's folder in place of the real one."""
        return json.loads(json.dumps(step).replace(RUN, str(self.folder)))

    def statuses(self):
        answer = sockets.ask_or_none(f"{self.folder}/master.sock", "@1 show stat\n")
        return {server.name: server.status for server in runtime_api.servers(answer)}

    def worker(self):
        """The PID of the worker with the newest configuration, "" while none answers."""
        answer = sockets.ask_or_none(f"{self.folder}/master.sock", "show proc\n") or ""
        return next(iter(re.findall(r"# workers\n(\d+)", answer)), "")

    def drain(self, server):
        assert probes.set_server(self.here({"timeout": LIMIT, **runtime_api.drain(server)}), None) is None

    def ready(self, server):
        assert probes.set_server(self.here({"timeout": LIMIT, **runtime_api.ready(server)}), None) is None

    def reload(self):
        before = self.worker()
        self.process.send_signal(signal.SIGUSR2)
        self.until(lambda: self.worker() not in ("", before) and self.statuses())

    def until(self, true):
        deadline = time.monotonic() + LIMIT
        while not true():
            assert time.monotonic() < deadline, true
            time.sleep(0.02)

    def end(self):
        self.process.terminate()
        return self.process.communicate(timeout=LIMIT)[1].decode()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def proxy(tmp_path):
    proxy = Proxy(tmp_path)
    yield proxy
    proxy.end()


def test_drained_server_stays_drained_when_anyone_reloads_and_serves_again_for_good(proxy):
    proxy.drain("section/one")
    proxy.reload()
    assert proxy.statuses() == {"one": "DRAIN", "two": "no check"}

    proxy.ready("section/one")
    proxy.reload()

    assert proxy.statuses() == {"one": "no check", "two": "no check"}


def test_reload_of_ours_leaves_the_drained_to_the_configuration(proxy, monkeypatch):
    proxy.drain("section/one")
    monkeypatch.setattr(programs, "systemctl", lambda step, _: proxy.reload())

    haproxy_state.reload(proxy.here({"kept": config.DRAINED_STATE_FILE}), None)

    assert proxy.statuses()["one"] == "no check"


def test_nobody_else_may_read_the_drained(proxy):
    proxy.drain("section/one")

    assert (proxy.folder / "drained").stat().st_mode & 0o777 == 0o600


def test_proxy_warns_of_nothing_but_the_drained_server(proxy):
    proxy.reload()
    proxy.drain("section/one")
    proxy.reload()

    warnings = [line.partition(" : ")[2] for line in proxy.end().splitlines() if "WARNING" in line and "config" in line]
    assert warnings == ["config : Server section/one remains in forced drain mode."]


def test_answer_that_is_no_table_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(sockets, "ask", lambda *_: "Permission denied\n")

    with pytest.raises(programs.Failed, match="did not list the state of its servers: Permission denied"):
        haproxy_state.save({"keep": {"file": str(tmp_path / "drained"), "socket": "/s", "send": "?"}})

    assert list(tmp_path.iterdir()) == []
