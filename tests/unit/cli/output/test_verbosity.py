"""How much commands say: -q, -v, -vv, colours, and the flags that say so."""

import re

import pytest

from deployer.cli.tasks import namespace

SGR = re.compile(r"\x1b\[[0-9;]*m")
COLOR = re.compile(r"\x1b\[(?:[0-9]+;)*3[0-9]m")  # NO_COLOR leaves what is no colour, such as bold
# The letters of the flags that commands had before these; scripts may use them.
LETTERS = {
    "deploy": "inventory:i yes:y limit:l wait:w force:f format:o lock-wait:c on-error:n plan:p",
    "plan": "inventory:i diff:d exit-code:e limit:l out:o format:f",
    "render": "out:o inventory:i source:s",
    "add-engine": "host:h inventory:i count:c yes:y format:f lock-wait:l",
    "remove-api": "host:h inventory:i count:c yes:y wait:w force:f format:o lock-wait:l",
    "scale": "engines:e api:a cfn:c workers:w inventory:i yes:y wait:t force:f format:o lock-wait:l",
    "restart": "inventory:i yes:y limit:l wait:w force:f format:o lock-wait:c on-error:n",
    "drain": "host:h inventory:i yes:y wait:w force:f format:o lock-wait:l",
    "recover": "inventory:i yes:y format:f lock-wait:l",
    "restore": "inventory:i yes:y wait:w force:f format:o lock-wait:l",
    "rollback": "to:t inventory:i yes:y wait:w force:f format:o lock-wait:l on-error:n",
    "history": "inventory:i format:f",
    "status": "inventory:i watch:w interval:n exit-code:e format:f",
    "verify": "inventory:i junit:j cloud:c format:f",
    "unlock": "id:i inventory:n format:f",
}


def flags_of(command):
    context = next(each for each in namespace.to_contexts() if each.name == command)
    return {argument.names[0]: argument.names[1:] for argument in context.args.values()}


@pytest.mark.parametrize("command", sorted(name for name in namespace.task_names if "." not in name))
def test_flags_of_all_commands_are_those_of_each(command):
    flags = flags_of(command)

    assert {name: flags[name] for name in ("quiet", "verbose", "color")} == {
        "quiet": ("q",),
        "verbose": ("v",),
        "color": (),
    }
    assert "format" in flags


@pytest.mark.parametrize("command", LETTERS)
def test_letters_of_older_flags_stay_as_they_were(command):
    before = dict(pair.split(":") for pair in LETTERS[command].split())

    assert {name: letters[0] for name, letters in flags_of(command).items() if name in before} == before


def test_quiet_deploy_says_its_result_alone(invoke, inventory, fleet):
    code, out, err = invoke("deploy", "--yes", "-q", "--inventory", inventory)

    assert (code, err) == (0, "")
    assert out == "52 steps done. This is generation 1.\n"


def test_quiet_deploy_that_fails_says_where_its_log_is(invoke, inventory, fleet):
    fleet.breaks("hostC", '"start"', "Job failed")

    code, out, err = invoke("deploy", "--yes", "-q", "--inventory", inventory)

    assert (code, "hostC  FAILED  could not start" in out) == (5, True)
    assert err.startswith("log: /") and len(err.splitlines()) == 1


def test_deploy_says_its_stages_and_no_step(invoke, inventory, fleet):
    err = invoke("deploy", "--yes", "--inventory", inventory)[2]

    lines = err.splitlines()
    assert "write files: hostA, hostB, hostC" in lines
    assert not [line for line in lines if line.startswith("observe") or "done  write" in line]


def test_verbose_deploy_says_each_step_with_its_seconds_and_every_stage(invoke, inventory, fleet):
    lines = invoke("deploy", "--yes", "-v", "--inventory", inventory)[2].splitlines()

    assert "hostB  done  write /etc/heat/heat.conf (new) (0.2 s)" in lines
    assert "observe: hostA, hostB, hostC" in lines and "record the result: hostA, hostB, hostC" in lines
    assert not [line for line in lines if " -> " in line]


def test_step_that_fails_is_named_as_such_when_it_ends(invoke, inventory, fleet):
    fleet.breaks("hostC", '"start"', "Job failed")

    err = invoke("deploy", "--yes", "-v", "--inventory", inventory)[2]

    assert "hostC  FAILED  start heat-scaleout-engine@1.service (not running), start" in err
    assert "start engines: hostC FAILED (" in err


def test_twice_verbose_says_each_request_and_reply_with_sizes_and_no_contents(invoke, inventory, fleet):
    err = invoke("deploy", "--yes", "-vv", "--inventory", inventory)[2]

    asked = [line for line in err.splitlines() if line.startswith("hostB  -> perform (write files")]
    replied = [line for line in err.splitlines() if line.startswith("hostB  <- perform (write files")]
    assert len(asked) == len(replied) == 1
    assert "write /etc/heat/heat.conf (new)" in asked[0] and '"bytes": ' in asked[0]
    assert '"seconds": [0.25, ' in replied[0] and '"failed": null' in replied[0]
    assert "content" not in err and "W0RFRkFVTFRd" not in err  # [DEFAULT] in base64


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--color", "red"), "--color takes auto, always or never, not 'red'"),
        (("-q", "-v"), "--quiet and --verbose do not go together"),
    ],
)
def test_flags_that_make_no_sense_end_with_3_and_contact_nobody(invoke, inventory, fleet, flags, words):
    code, out, err = invoke("deploy", "--yes", *flags, "--inventory", inventory)

    assert (code, out, err, fleet.asked) == (3, "", f"error: {words}\n", [])


@pytest.mark.parametrize("text", ["inf", "-inf", "nan", "1e300", "1000001"])
@pytest.mark.parametrize("flag", ["wait", "lock-wait"])
def test_wait_without_an_end_ends_with_3_and_contacts_nobody(invoke, inventory, fleet, flag, text):
    code, out, err = invoke("deploy", "--yes", f"--{flag}={text}", "--inventory", inventory)

    assert (code, out, fleet.asked, fleet.holds_asked) == (3, "", [], [])
    assert err.startswith(f"error: --{flag} takes ") and f"not '{text}'" in err


@pytest.mark.parametrize(
    ("flag", "environment", "colored"),
    [
        ("auto", {}, False),
        ("always", {}, True),
        ("always", {"NO_COLOR": "1"}, True),
        ("always", {"TERM": "dumb"}, True),
        ("never", {}, False),
        ("never", {"FORCE_COLOR": "1"}, False),
        ("auto", {"FORCE_COLOR": "1"}, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("auto", {"NO_COLOR": "1"}, False),
        ("auto", {"TERM": "dumb", "FORCE_COLOR": "1"}, False),
    ],
)
def test_colours_are_as_the_flag_and_the_environment_say(
    invoke, inventory, fleet, monkeypatch, flag, environment, colored
):
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"TERM": "xterm"} | environment).items():
        monkeypatch.setenv(name, value)

    out = invoke("plan", "--diff", "--color", flag, "--inventory", inventory)[1]

    assert bool(COLOR.search(out)) is colored


def test_colours_change_no_word_and_no_blank(invoke, inventory, fleet):
    plain = invoke("plan", "--diff", "--inventory", inventory)[1]
    colored = invoke("plan", "--diff", "--color", "always", "--inventory", inventory)[1]

    assert SGR.sub("", colored) == plain
    assert "\x1b[32mstart heat-scaleout-engine@1.service (not running)\x1b[0m" in colored
    assert "\x1b[31mstop heat-api.service (the proxy takes over 10.0.0.1:8004)\x1b[0m" in colored
    assert "\x1b[31m-rabbit_host = localhost\x1b[0m\n" in colored
    assert "\x1b[32m+rabbit_host = 10.0.0.1\x1b[0m\n" in colored


def test_json_has_no_colours_whatever_the_flag_says(invoke, inventory, fleet):
    assert "\x1b" not in invoke("plan", "--color", "always", "--format", "json", "--inventory", inventory)[1]
