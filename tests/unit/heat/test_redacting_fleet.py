"""Through the fleet of every command no secret comes back: not of Heat, not of the inventory, whoever says it."""

import json
from urllib.parse import quote

import pytest
import sites

from deployer import errors, pipeline
from deployer.cli.views import console, run_report
from deployer.heat import engines, recovery, redacting_fleet
from deployer.model.events import Level
from deployer.status import site

DATABASE, BROKER, STATS = "x7-c@nary/data", "x7-c@nary:broker", "x7-canary-page"
WORDS = f"lost mysql+pymysql://heat:{quote(DATABASE, safe='')}@db, '{DATABASE}', \"{quote(BROKER, safe='')}\", {STATS}!"
CONF = f"""\
[DEFAULT]
transport_url = rabbit://heat:{quote(BROKER, safe="")}@127.0.0.1:5672/
[database]
connection = mysql+pymysql://heat:{quote(DATABASE, safe="")}@127.0.0.1/heat
[heat_api]
bind_host = 10.0.0.1
bind_port = 8004
"""
PROXY = f'stats: {{bind: "127.0.0.1:1936", user: operator, password: {STATS}}}'


@pytest.fixture
def inventory():
    return sites.an_inventory(proxy=PROXY)


@pytest.fixture
def hosts(inventory):
    return sites.a_fleet(inventory, conf=CONF)


@pytest.fixture
def fleet(inventory, hosts):
    return redacting_fleet.RedactingFleet(inventory, hosts)


def leaks(*texts):
    """The texts that show a secret, as it is or as URLs have it."""
    return [text for text in texts if any(part in text for part in ("nary", "x7-c", quote(DATABASE, safe="")))]


@pytest.mark.parametrize(
    ("host", "fragment"),
    [
        *(("hostA", step) for step in ('"do": "write"', '"systemctl"', '"share_port"')),
        *(("hostB", step) for step in ('"do": "write"', '"systemctl"', '"await_http"', '"run"')),
    ],
)
def test_failed_step_shows_no_secret_in_the_output_of_programs(inventory, hosts, fleet, host, fragment):
    hosts.breaks(host, fragment, WORDS)

    try:
        report = sites.deploy(inventory, fleet, sites.yes)
        said = [run_report.text(report), console.as_json(run_report.json(report)), repr(report)]
    except errors.DeployerError as error:
        said = [console.error_text(error), repr(error), str(error)]

    assert all("***" in text for text in said)
    assert leaks(*said) == []


def test_warning_on_a_database_that_does_not_answer_shows_no_secret(inventory, hosts, fleet):
    hosts.breaks("hostA", "# connection_limits", WORDS)

    notes = sites.deploy(inventory, fleet, sites.yes).warnings

    assert any("***" in note for note in notes)
    assert leaks(*notes) == []


def test_message_without_redaction_holds_what_is_a_secret(inventory, hosts):
    """Without this, no test here could fail."""
    hosts.breaks("hostB", '"systemctl"', WORDS)

    assert leaks(run_report.text(sites.deploy(inventory, hosts, sites.yes))) != []


def test_status_shows_no_secret_in_the_output_of_heat(inventory, hosts, fleet):
    sites.deploy(inventory, fleet, sites.yes)
    hosts.heats_problems = [f"database: {WORDS}"]

    picture = pipeline.status(inventory, fleet)

    shown = json.dumps(site.as_json(inventory, picture)) + repr(picture)
    assert "***" in shown
    assert leaks(shown) == []


def test_refused_logins_show_no_secret(inventory, hosts, fleet):
    hosts.refused_logins["hostB"] = [{"what": "database", "where": "db:3306", "why": WORDS}]

    found = pipeline.preflight(inventory, fleet)

    assert any("***" in problem for problem in found.problems)
    assert leaks(*found.problems, *found.warnings) == []


def test_recovery_that_never_observed_a_host_shows_no_secret(inventory, hosts, fleet):
    hosts.breaks("hostA", '"run"', WORDS)

    with pytest.raises(errors.HostFailed) as raised:
        recovery.dead_workers(inventory, fleet)

    assert "***" in raised.value.message
    assert leaks(str(raised.value), raised.value.message, raised.value.hint, repr(raised.value)) == []


def test_error_of_a_host_shows_no_secret_and_keeps_its_kind(inventory, hosts, fleet):
    hosts.fails_with("hostB", errors.HostFailed("hostB", f"the agent did not run: {WORDS}", hint=WORDS))

    error = fleet.ask("observe", "observe", {"hostB": {}}, 5.0)["hostB"]

    assert (type(error), error.host, error.exit_code) == (errors.HostFailed, "hostB", 5)
    assert error.message.startswith("hostB: the agent did not run: lost mysql+pymysql://heat:***@db")
    assert leaks(error.message, error.hint, str(error), repr(error)) == []


def test_secret_that_a_host_alone_still_has_is_redacted_too(inventory, hosts, fleet):
    hosts.hosts["hostB"].has_file("/etc/heat/heat.conf", "[database]\nconnection = mysql://heat:old-p4ssword@db/heat\n")
    hosts.breaks("hostB", '"systemctl"', "engine: login with old-p4ssword refused")

    reply = fleet.ask("start", "perform", {"hostB": {"ledger": "", "steps": [{"do": "systemctl", "arguments": []}]}}, 5)

    assert reply["hostB"]["failed"]["why"] == "engine: login with *** refused"


UNIT = "heat-scaleout-engine@1.service"
START = {"ledger": "", "steps": [{"do": "systemctl", "arguments": ["start", UNIT]}]}


def start(fleet):
    return fleet.ask("start", "perform", {"hostB": START}, 5)["hostB"]


def test_secret_that_was_read_earlier_is_redacted_when_no_host_sends_it_again(inventory, hosts, fleet, refuses_look):
    hosts.breaks("hostB", '"systemctl"', f"cannot decrypt with {DATABASE}")
    assert start(fleet)["failed"]["why"] == "cannot decrypt with ***"

    refuses_look()

    assert start(fleet)["failed"]["why"] == "cannot decrypt with ***"


@pytest.fixture
def refuses_look(hosts, monkeypatch):
    """From now on no host sends its configuration in time."""
    ask = hosts.ask

    def late(title, verb, requests, timeout, level=Level.INFO):
        if any("carry" in each for each in requests.values()):
            return {name: errors.HostUnreachable(name, "lost while it worked (no answer in time)") for name in requests}
        return ask(title, verb, requests, timeout, level)

    return lambda: monkeypatch.setattr(hosts, "ask", late)


def test_words_of_a_host_of_which_nothing_is_known_are_withheld_with_where_they_are(hosts, fleet, refuses_look):
    hosts.breaks("hostB", '"systemctl"', f"cannot decrypt with {DATABASE}")
    refuses_look()

    failed = start(fleet)["failed"]

    assert failed["index"] == 0
    assert failed["why"] == (
        "its words are withheld, as no heat.conf could be read that says what is secret; "
        f"see `journalctl -u {UNIT}` on hostB"
    )


def test_reason_of_one_word_is_withheld_as_well(hosts, fleet, refuses_look):
    hosts.breaks("hostB", '"write"', "s0me-word")
    refuses_look()
    steps = [{"do": "write", "path": "/etc/heat/heat.conf"}, {"do": "systemctl", "arguments": ["start", UNIT]}]

    failed = fleet.ask("start", "perform", {"hostB": {"ledger": "", "steps": steps}}, 5)["hostB"]["failed"]

    assert failed["why"].endswith("; see /etc/heat/heat.conf on hostB")


def test_words_that_programs_print_as_json_are_withheld_in_it(hosts, fleet, refuses_look):
    hosts.tamper = lambda name, verb, reply: (
        reply
        if verb != "perform"
        else {
            "done": [json.dumps({"rows": [{"host": "hostB", "age": 3.0}], "problems": [WORDS]})],
            "failed": None,
            "seconds": [0.1],
        }
    )
    refuses_look()

    printed = json.loads(start(fleet)["done"][0])

    assert printed["rows"] == [{"host": "hostB", "age": 3.0}]
    assert "withheld" in printed["problems"][0] and leaks(repr(printed)) == []


def test_last_line_of_an_agent_that_failed_is_withheld_and_its_kind_and_hint_are_not(hosts, fleet, refuses_look):
    hosts.fails_with("hostB", errors.HostFailed("hostB", "the agent failed", hint="Report this line.", words=WORDS))
    refuses_look()

    for error in (fleet.ask("observe", "observe", {"hostB": {}}, 5.0)["hostB"], fleet.acquire_lease("hostB", {}, 5.0)):
        assert (type(error), error.exit_code, error.hint) == (errors.HostFailed, 5, "Report this line.")
        assert error.message.startswith("hostB: the agent failed: its words are withheld, as no heat.conf")
        assert leaks(error.message, error.words, repr(error), repr(vars(error))) == []


def test_parts_of_an_error_show_no_secret_either(hosts, fleet):
    hosts.fails_with("hostB", errors.HostFailed("hostB", "the agent failed", words=WORDS))

    error = fleet.ask("observe", "observe", {"hostB": {}}, 5.0)["hostB"]

    assert "***" in error.words and leaks(repr(vars(error))) == []


def test_host_that_is_not_reachable_is_told_without_a_look_for_secrets(hosts, fleet):
    """That look would wait for the source, which may be the one that is not reachable."""
    hosts.loses("hostB")

    assert fleet.ask("observe", "observe", {"hostB": {}}, 5.0)["hostB"].message == "hostB: connection refused"
    assert [verb for _, verb, _ in hosts.asked] == ["observe"]


def test_site_without_any_heat_conf_has_no_secret_to_withhold(inventory, hosts, fleet):
    del hosts.hosts["hostA"].files["/etc/heat/heat.conf"]
    hosts.breaks("hostB", '"systemctl"', "lost mysql://heat:whatever@db/heat")

    assert start(fleet)["failed"]["why"] == "lost mysql://heat:***@db/heat"


def test_hosts_without_messages_are_asked_nothing_more(inventory, hosts, fleet):
    sites.deploy(inventory, fleet, sites.yes)
    hosts.asked.clear()

    sites.planned(inventory, fleet)
    engines.resources_held(inventory, fleet)

    assert [verb for _, verb, _ in hosts.asked] == ["observe", "perform"]


LOGS = {
    "units": ["heat-scaleout-*"],
    "lines": 50,
    "size": 2**20,
    "seconds": 5.0,
    "configuration": {"folders": ["/etc/heat"], "endings": [".conf"], "ledger": "/x/ledger.json"},
}


def logged(fleet, *hosts):
    return fleet.ask("read journals", "logs", dict.fromkeys(hosts, LOGS), 5)


@pytest.mark.parametrize(
    "message",
    [
        WORDS,
        DATABASE,
        f'{{"password": "{BROKER}", "x": "{STATS}"}}',
        f'["{STATS}"]',
        f"connecting to rabbit://heat:{quote(BROKER, safe='')}@db",
        f"line one\nline two {DATABASE}",
    ],
    ids=["prose", "one word", "JSON", "JSON list", "URL", "lines"],
)
def test_line_of_a_journal_tells_no_secret_whatever_it_looks_like(inventory, hosts, fleet, message):
    sites.deploy(inventory, fleet, sites.yes)
    hosts.hosts["hostB"].logs_line("heat-scaleout-engine@1.service", message)

    last = logged(fleet, "hostB")["hostB"]["entries"][-1]

    assert "***" in last["message"]
    assert leaks(last["message"], repr(last)) == []


def test_line_of_a_journal_that_is_not_hidden_would_tell_secrets(inventory, hosts):
    """Without this, the tests of journals could not fail."""
    sites.deploy(inventory, hosts, sites.yes)
    hosts.hosts["hostB"].logs_line("heat-scaleout-engine@1.service", WORDS)

    assert leaks(repr(logged(hosts, "hostB"))) != []


def test_secret_of_the_source_is_hidden_in_the_journal_of_a_host_that_has_no_configuration(inventory, hosts, fleet):
    hosts.hosts["hostC"].logs_line("heat-scaleout-proxy.service", WORDS)

    assert leaks(repr(logged(fleet, "hostC"))) == []


def test_journal_of_which_nobody_says_what_is_secret_is_withheld(inventory, hosts, fleet):
    hosts.hosts["hostC"].logs_line("heat-scaleout-proxy.service", "s0me-word")
    hosts.loses("hostA")

    withheld = logged(fleet, "hostC")["hostC"]

    assert (type(withheld), withheld.exit_code) == (errors.HostFailed, 5)
    assert "withheld" in withheld.message and "s0me-word" not in repr(withheld)


def test_journal_of_a_host_with_a_configuration_is_shown_while_the_source_is_lost(inventory, hosts, fleet):
    sites.deploy(inventory, fleet, sites.yes)
    hosts.hosts["hostB"].logs_line("heat-scaleout-engine@1.service", f"refused: {DATABASE}")
    hosts.loses("hostA")

    assert logged(fleet, "hostB")["hostB"]["entries"][-1]["message"] == "refused: ***"


def test_journal_that_has_nothing_is_no_reason_to_ask_for_secrets(inventory, hosts, fleet):
    logged(fleet, "hostB", "hostC")

    assert [verb for _, verb, _ in hosts.asked] == ["logs"]


def test_cursor_of_a_journal_stays_as_it_is(inventory, hosts, fleet):
    hosts.tamper = lambda name, verb, reply: reply | ({"cursor": f"s={STATS} x"} if verb == "logs" else {})

    assert logged(fleet, "hostA")["hostA"]["cursor"] == f"s={STATS} x"


def test_host_that_the_inventory_lacks_is_asked_and_shows_no_secret_either(hosts):
    """A host that has left the inventory, whose configuration is where the site's is."""
    fleet = redacting_fleet.RedactingFleet(sites.an_inventory(proxy=PROXY, hostC=""), hosts)
    hosts.breaks("hostC", '"run"', WORDS)

    (error,) = engines.answers(fleet, "ask", "resources_held", {"hostC": ("/usr/bin/python3", "")}, 5.0).values()

    assert isinstance(error, errors.HostFailed)
    assert leaks(str(error), repr(error)) == []
