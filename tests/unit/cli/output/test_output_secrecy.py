"""No secret is in what -vv, the log or JSON Lines say, whatever hosts and programs answer."""

import base64

import pytest
import sites
from secret_site import CANARY, CONF, PROXY

from deployer import errors
from deployer.heat import exchange_summary
from deployer.remote import fleet as fleets

SECRETS = [f"{CANARY}-{what}" for what in ("broker", "0123456789", "domain", "database", "keystone", "stats")]
SPOKEN = "; ".join([*SECRETS, f"mysql://heat:{CANARY}-database@10.0.0.1/heat", f"password={CANARY}-unknown"])


@pytest.fixture
def inventory(tmp_path):
    path = tmp_path / "site.yaml"
    path.write_text(sites.an_inventory_text(proxy=PROXY))
    return path


@pytest.fixture
def fleet(monkeypatch, inventory):
    observed = sites.a_fleet(sites.an_inventory(proxy=PROXY), conf=CONF)

    def over_ssh(hosts, handle):
        observed.handle = handle
        return observed

    monkeypatch.setattr(fleets, "over_ssh", over_ssh)
    return observed


@pytest.fixture
def told(invoke, inventory, state_folder):
    """Run a command with every word it has: what it printed, and its log."""

    def run(*argv):
        _, out, err = invoke(*argv, "--inventory", inventory, "-vv", "--format", "jsonl")
        logs = sorted((state_folder / "heat-scaleout" / "logs").glob("*.log"))
        return out + err + "".join(log.read_text() for log in logs)

    return run


def spellings(secret):
    """A text as it is, and the parts of it that stand in base64 wherever it begins there."""
    shifted = [base64.b64encode(b"x" * shift + secret.encode())[4:-4].decode() for shift in range(3)]
    return [secret, *shifted]


def leaks(text):
    return [each for each in (CANARY, *(part for secret in SECRETS for part in spellings(secret))) if each in text]


def test_deploy_that_writes_every_secret_says_none(told, fleet):
    text = told("deploy", "--yes")

    written = fleet.hosts["hostB"].files["/etc/heat/heat.conf"].content.decode()
    assert CANARY in written  # without this, no test here could fail
    assert "reply_received" in text and "write /etc/heat/heat.conf (new)" in text
    assert leaks(text) == []


@pytest.mark.parametrize("fragment", ['"write"', '"start"', '"await_http"', '"run"', '"systemctl"'])
def test_step_that_fails_with_secrets_in_its_words_says_none(told, fleet, fragment):
    for host in fleet.hosts:
        fleet.breaks(host, fragment, SPOKEN)

    text = told("deploy", "--yes")

    assert "***" in text
    assert leaks(text) == []


def test_host_that_is_lost_with_secrets_in_its_words_says_none(told, fleet):
    fleet.fails_with("hostC", errors.HostUnreachable("hostC", f"lost: {SPOKEN}", hint=SPOKEN))

    assert leaks(told("deploy", "--yes")) == []
    assert leaks(told("status")) == []


def test_programs_that_print_secrets_are_not_quoted(told, fleet):
    fleet.refused_logins = {"hostB": [{"what": "database", "where": "10.0.0.1:3306", "why": SPOKEN, "kind": "refused"}]}
    fleet.abandoned = [{"engine_id": "id-1", "host": "hostC-engine-1", "held": [SPOKEN], "queues": [SPOKEN]}]
    fleet.uwsgi_flags = f"{CANARY}-keystone"

    for argv in (("preflight",), ("recover", "--yes"), ("deploy", "--yes"), ("plan", "--diff")):
        assert leaks(told(*argv)) == []


def test_word_of_a_program_that_stands_alone_is_counted_and_not_shown():
    """Nothing tells a secret from any other word: what nobody needs is withheld."""
    reply = {"done": [f"{CANARY}"], "answers": {"x": {"printed": CANARY, "why": None}}, "hostname": CANARY, CANARY: 1}

    summary = exchange_summary.of_reply({name: each for name, each in reply.items() if name != CANARY}, ())

    assert CANARY not in str(summary)
    assert summary["done"] == summary["answers"] == "1 entries"


def test_request_shows_no_content_no_input_and_no_arguments_of_programs():
    steps = [
        {"do": "write", "path": "/etc/x", "content": CANARY, "description": "write /etc/x (new)"},
        {"do": "run", "argv": [CANARY], "stdin": CANARY},
        {"do": "await_reply", "socket": "/run/x", "send": CANARY},
    ]
    request = {"steps": steps, "programs": {"logins": {"argv": [CANARY], "stdin": CANARY}}, "who": {"command": CANARY}}

    summary = exchange_summary.of_request(request | {"files": [{"content": CANARY}], "state": {CANARY: CANARY}})

    assert CANARY not in str(summary)
    assert summary["steps"] == ["write /etc/x (new)", "run", "await_reply"]
    assert summary["programs"] == ["logins"]
