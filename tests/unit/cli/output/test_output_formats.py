"""What commands print as JSON and JSON Lines: alone on stdout, as published, whole at the end whatever happens."""

import json

import published_schema
import pytest
import sites

from deployer.apply import lock
from deployer.model.run import Writer

COMMANDS = {
    "plan": ("plan", "--diff"),
    "deploy": ("deploy", "--yes"),
    "restart": ("restart", "--yes"),
    "add-engine": ("add-engine", "hostB", "--yes"),
    "add-api": ("add-api", "hostB", "--yes"),
    "add-cfn": ("add-cfn", "hostB", "--yes"),
    "remove-engine": ("remove-engine", "hostB", "--yes"),
    "remove-api": ("remove-api", "hostB", "--yes", "--force"),
    "remove-cfn": ("remove-cfn", "hostB", "--yes", "--force"),
    "scale": ("scale", "--engines", "6", "--yes"),
    "drain": ("drain", "hostB", "--yes"),
    "undrain": ("undrain", "hostB", "--yes"),
    "rollback": ("rollback", "--to", "1", "--yes"),
    "restore": ("restore", "--yes"),
    "recover": ("recover", "--yes"),
    "history": ("history",),
    "status": ("status",),
    "preflight": ("preflight",),
    "lock": ("lock",),
    "unlock": ("unlock", "--id", "1f3a"),
}
CHANGING = [name for name in COMMANDS if name not in ("plan", "history", "status", "preflight", "lock")]


@pytest.fixture
def deployed(invoke, inventory, fleet):
    """A site after its first deploy, with something for every command to do."""
    assert invoke("deploy", "--yes", "--inventory", inventory)[0] == 0
    left = {"held": ["web/server (CREATE)"], "queues": ["q"]}
    fleet.abandoned = [{"engine_id": "id-1", "host": "hostC-engine-1", **left}]
    return fleet


@pytest.fixture
def run(invoke, inventory, deployed):
    """Run a command by its name; for `lock` and `unlock`, somebody holds the lock."""

    def run(name, *more):
        if name in ("lock", "unlock"):
            holder = Writer("1f3a", "alice", "desk", 4711, "invoke deploy --yes")
            lock.take(sites.an_inventory(), type(deployed)(deployed.hosts), holder)
        return invoke(*COMMANDS[name], *more, "--inventory", inventory)

    return run


def events_of(out):
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("name", COMMANDS)
def test_json_of_every_command_is_one_document_as_published(run, name):
    code, out, err = run(name, "--format", "json")

    assert (code, json.loads(out)["schema_version"]) == (0, 1)
    assert "Traceback" not in err


@pytest.mark.parametrize("name", COMMANDS)
def test_json_lines_of_every_command_begin_with_it_and_end_with_its_result(run, name):
    code, out, _ = run(name, "--format", "jsonl")

    first, *_, last = events_of(out)
    assert (code, first["event"], last["event"], last["exit_code"]) == (0, "command_started", "result", 0)
    published_schema.check_result(name, last["result"])


def test_render_as_json_names_every_file(invoke, inventory, tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "heat.conf").write_text(sites.CONF)

    out = invoke("render", "--inventory", inventory, "--out", tmp_path / "out", "--source", folder, "--format", "json")[
        1
    ]

    data = json.loads(out)
    assert (data["out"], len(data["files"])) == (str(tmp_path / "out"), 26)
    assert all((tmp_path / "out" / path).is_file() for path in data["files"])


def test_json_lines_end_with_the_very_document_of_json(run):
    last = events_of(run("status", "--format", "jsonl")[1])[-1]

    assert last["result"] == json.loads(run("status", "--format", "json")[1])


def test_json_lines_tell_stages_steps_and_hosts_in_the_order_they_happen(run):
    events = events_of(run("add-engine", "--format", "jsonl")[1])

    of_stage = [each for each in events if each.get("stage") == "start engines"]
    assert [each["event"] for each in of_stage] == [
        "stage_started",
        *["step_finished"] * 3,
        "host_finished",
        "stage_finished",
    ]
    assert of_stage[0]["steps"] == {"hostB": [each["step"] for each in of_stage[1:4]]}
    assert [(each["number"], each["total"], each["seconds"]) for each in of_stage[1:4]] == [
        (number, 3, 0.25) for number in (1, 2, 3)
    ]
    assert [each["plan"]["changes"] for each in events if each["event"] == "plan"] == [2]


def test_json_lines_of_a_step_that_fails_say_so_and_end_with_what_is_left(run, deployed):
    deployed.breaks("hostB", "heat-scaleout-engine@3", "no memory")

    code, out, _ = run("add-engine", "--format", "jsonl")

    events = events_of(out)
    assert code == events[-1]["exit_code"] == 5
    assert [each["result"] for each in events if each["event"] == "step_finished"][-1] == "failed"
    ended = {each["stage"]: each["failed"] for each in events if each["event"] == "stage_finished"}
    assert ended["start engines"] == ["hostB"]
    assert events[-1]["result"]["failed"]["hostB"]["error"].endswith("no memory")


def test_json_of_a_run_that_was_reverted_says_what_was_put_back(invoke, inventory, deployed):
    deployed.breaks("hostB", "heat-scaleout-engine@3", "no memory")

    argv = ("add-engine", "hostB", "--yes", "--inventory", inventory, "--format", "json")
    code, out, _ = invoke(*argv)
    restarted = invoke("restart", "--yes", "--on-error", "revert", "--inventory", inventory, "--format", "json")

    assert (code, json.loads(out)["now"]["hostB"]["next"]) == (5, "invoke deploy")
    assert (restarted[0], json.loads(restarted[1])["put_back"]["hosts"]) == (5, ["hostA", "hostB", "hostC"])


def test_json_lines_with_q_are_the_result_alone_and_with_vv_also_requests_and_replies(run):
    quiet = events_of(run("plan", "--format", "jsonl", "-q")[1])
    normal = {each["event"] for each in events_of(run("plan", "--format", "jsonl")[1])}
    all_of = {each["event"] for each in events_of(run("plan", "--format", "jsonl", "-vv")[1])}

    assert [each["event"] for each in quiet] == ["result"]
    assert all_of - normal == {"request_sent", "reply_received"}


def test_json_lines_of_an_error_have_it_and_a_result_without_a_document(invoke, tmp_path):
    code, out, err = invoke("plan", "--inventory", tmp_path / "none.yaml", "--format", "jsonl")

    *_, error, last = events_of(out)
    assert (code, error["event"], "no such file" in error["message"]) == (3, "error", True)
    assert (last["exit_code"], last["result"], last["log"]) == (3, None, None)
    assert err.startswith("error: ")


def test_json_lines_of_an_interruption_end_with_130(invoke, inventory, fleet):
    def interrupted(*_):
        raise KeyboardInterrupt

    fleet.ask = interrupted

    code, out, _ = invoke("deploy", "--yes", "--inventory", inventory, "--format", "jsonl")

    error, last = events_of(out)[-2:]
    assert (code, error["kind"], last["exit_code"]) == (130, "interrupted", 130)


@pytest.fixture
def says_no(monkeypatch):
    """Somebody at a terminal who declines."""

    class Terminal:
        def isatty(self):
            return True

        def readline(self):
            return "n\n"

    monkeypatch.setattr("sys.stdin", Terminal())


def test_json_of_a_plan_that_is_declined_says_so_and_has_nothing_done(invoke, inventory, deployed, says_no):
    code, out, err = invoke("restart", "--inventory", inventory, "--format", "json")

    data = json.loads(out)
    assert (code, data["accepted"], data["done"]) == (0, False, [])
    assert data["changes"] > 0 and "Nothing was changed." in err


def test_question_shows_its_plan_even_with_q(invoke, inventory, deployed, says_no):
    _, out, err = invoke("restart", "--inventory", inventory, "-q")

    assert (out, "about to be applied" in err, "[y/N]" in err) == ("", True, True)


def test_json_lines_of_watched_status_have_every_picture(invoke, inventory, fleet):
    code, out, _ = invoke("status", "--inventory", inventory, "--watch", "--exit-code", "--format", "jsonl")

    first, picture, last = events_of(out)
    for event in (first, picture, last):
        published_schema.check_event(event)
    assert (code, picture["event"], picture["result"]["drift"], last["exit_code"]) == (8, "status", True, 8)
