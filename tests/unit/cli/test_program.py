"""The installed command: its help, its exit codes for wrong command lines, and its name in what it tells to run."""

import os
import pty
import signal
import socket
import subprocess
import sys
import time

import pytest
import sites

from deployer.cli import called_as, program, signals, terminal
from deployer.errors import Locked

CODE = "import sys; sys.argv[0] = 'heat-scaleout'; from deployer.cli.program import main; sys.exit(main())"


@pytest.fixture
def heat_scaleout(tmp_path, monkeypatch, capsys):
    """Run it in this process, in an empty folder: its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HEAT_SCALEOUT_INVENTORY", raising=False)

    def run(*argv):
        monkeypatch.setattr(sys, "argv", ["/usr/bin/heat-scaleout", *map(str, argv)])
        capsys.readouterr()
        return program.main() or 0, *capsys.readouterr()

    return run


@pytest.fixture
def silent_site(tmp_path):
    """A server that takes connections and says nothing, and an inventory whose hosts are all there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        path = tmp_path / "silent.yaml"
        path.write_text(
            sites.an_inventory_text(
                more=f"ssh: {{port: {server.getsockname()[1]}, ssh_config: none, connect_timeout: 2}}",
                **{
                    name: f"{{address: 10.0.0.{number}, engines: 1, ssh: {{address: 127.0.0.1}}}}"
                    for number, name in enumerate(("hostA", "hostB", "hostC"), 1)
                },
            )
        )
        yield server, path


def started(shell_words, **environment):
    """Run it as a process of its own in a line for bash; `$tool` is the command."""
    environment = {**os.environ, "PYTHONPATH": str(sites.ROOT), **environment}
    line = f'tool() {{ "{sys.executable}" -c "{CODE}" "$@"; }}; {shell_words}'
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=30, env=environment)


def test_help_shows_commands_and_flags_that_matter_here(heat_scaleout):
    code, out, _ = heat_scaleout("--help")

    assert code == 0
    assert out.startswith("Usage: heat-scaleout COMMAND [HOST] [FLAGS]\n")
    assert "  add-engine  " in out and "--version" in out
    assert "--prompt-for-sudo-password" not in out and "task1" not in out
    assert max(map(len, out.splitlines())) <= 80


def test_help_of_a_command_names_the_host_that_it_takes(heat_scaleout):
    code, out, _ = heat_scaleout("add-engine", "--yes", "--help")

    assert heat_scaleout("--help", "add-engine")[1] == out
    assert (code, out.splitlines()[0]) == (0, "Usage: heat-scaleout add-engine HOST [FLAGS]")
    assert "--count=STRING" in out


def test_no_command_at_all_shows_the_help(heat_scaleout):
    assert heat_scaleout()[:2] == heat_scaleout("--help")[:2]


@pytest.mark.parametrize(
    ("argv", "error", "hint"),
    [
        (["deplo"], "No idea what 'deplo' is!", "Did you mean deploy? `heat-scaleout --help` lists the commands."),
        (["--foo"], "No idea what '--foo' is!", "`heat-scaleout --help` lists the commands."),
        (["deploy", "--foo"], "No idea what '--foo' is!", "`heat-scaleout --help deploy` shows what it takes."),
        (["\x1b[2Jdeploy"], r"No idea what '\x1b[2Jdeploy' is!", "Did you mean deploy?"),
        (["add-engine"], "required positional arguments: 'host'", "`heat-scaleout --help add-engine` shows"),
        (["deploy", "--inventory"], "Flag --inventory needed value", "`heat-scaleout --help deploy` shows"),
        (["--help", "deplo"], "No idea what 'deplo' is!", "Did you mean deploy?"),
        (["--list", "nowhere"], "Sub-collection 'nowhere' not found!", "`heat-scaleout --help`"),
        (["--list", "--list-format", "x"], "--list-format takes flat, nested, json", "`heat-scaleout --help`"),
        (["--list", "--list-depth", "x"], "invalid literal", "`heat-scaleout --help`"),
        (["--print-completion-script", "tcsh"], "takes fish, bash, zsh, not 'tcsh'", "`heat-scaleout --help`"),
    ],
)
def test_wrong_command_line_ends_with_3_and_two_plain_lines(heat_scaleout, argv, error, hint):
    code, out, err = heat_scaleout(*argv)

    first, second = err.splitlines()
    assert (code, out) == (3, "")
    assert first.startswith("error: ") and error in first
    assert second.startswith(f"hint: {hint}")


@pytest.mark.parametrize("text", ["inventory: [", "- a list", "run: 3", "\0", "\xe9"])
def test_settings_that_cannot_be_read_end_with_3_and_no_traceback(heat_scaleout, tmp_path, text):
    (tmp_path / "invoke.yaml").write_bytes(text.encode("latin-1"))

    code, out, err = heat_scaleout("plan")

    assert (code, out) == (3, "")
    assert err.startswith("error: a file of settings cannot be read: ")
    assert "invoke.yaml of this folder" in err.splitlines()[-1]


@pytest.mark.parametrize("name", ["elsewhere.yaml", "3"])
def test_settings_of_the_current_folder_name_the_inventory(heat_scaleout, tmp_path, name):
    (tmp_path / "invoke.yaml").write_text(f"inventory: {name}")

    assert heat_scaleout("plan")[2].startswith(f"error: {name}: there is no such file\n")


def test_settings_that_are_a_program_are_not_run_from_the_current_folder(heat_scaleout, tmp_path):
    (tmp_path / "invoke.py").write_text("open('was_run', 'w').close()")

    heat_scaleout("plan")

    assert not (tmp_path / "was_run").exists()


def test_interrupted_command_ends_with_130(heat_scaleout, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(terminal, "locate", interrupted)

    assert heat_scaleout("plan")[0] == 130


def logs_in(state_folder):
    return list((state_folder / "heat-scaleout/logs").glob("*.log"))


def await_log(process, state_folder):
    """Wait until the log of a command has begun, or the command has ended without one."""
    while process.poll() is None and not any(log.stat().st_size for log in logs_in(state_folder)):
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("argv", "awaited", "has_log", "number", "code"),
    [
        (["deploy", "--yes"], " -> acquire", False, signal.SIGTERM, 143),
        (["unlock", "--id", "0"], "site lock: ", True, signal.SIGTERM, 143),
        (["unlock", "--id", "0"], "site lock: ", True, signal.SIGHUP, 129),
        (["plan"], "observe: ", False, signal.SIGTERM, 143),
    ],
)
def test_signal_while_hosts_are_asked_ends_in_words_and_in_the_log(
    silent_site, state_folder, argv, awaited, has_log, number, code
):
    _, inventory = silent_site
    line = [sys.executable, "-c", CODE, *argv, "-vv", "--inventory", inventory]
    environment = {**os.environ, "PYTHONPATH": str(sites.ROOT)}
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            next(line for line in process.stderr if awaited in line)
            if has_log:
                await_log(process, state_folder)
            process.send_signal(number)
            _, err = process.communicate(timeout=30)
        finally:
            process.kill()

    logs = logs_in(state_folder)
    assert (process.returncode, len(logs)) == (code, has_log)
    assert "interrupted: run the same command again" in err
    assert all(log.read_text().endswith(f"ended with {code}\n") for log in logs)


def test_terminal_that_is_closed_ends_a_command_with_the_end_of_its_log(silent_site, state_folder):
    """Whatever it has to say then, nobody can be told."""
    _, inventory = silent_site
    line = [sys.executable, "-c", CODE, "unlock", "--id", "0", "--inventory", inventory]
    environment = {**os.environ, "PYTHONPATH": str(sites.ROOT)}
    master, terminal_of_command = pty.openpty()
    of_terminal = dict.fromkeys(("stdin", "stdout", "stderr"), terminal_of_command)
    with subprocess.Popen(["setsid", "--ctty", *line], env=environment, **of_terminal) as process:
        try:
            await_log(process, state_folder)
            os.close(terminal_of_command)
            os.close(master)
            code = process.wait(30)
        finally:
            process.kill()

    (log,) = logs_in(state_folder)
    assert code == 129
    assert log.read_text().endswith("ended with 129\n")


def test_command_under_nohup_goes_on():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals.as_interrupts():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_reader_who_has_gone_gets_no_traceback(unbuffered):
    ran = started("{ tool --help; echo ended with $? >&2; } | true", PYTHONUNBUFFERED=unbuffered)

    assert ran.stderr in ("ended with 0\n", f"ended with {program.CLOSED_PIPE}\n")


@pytest.mark.parametrize("asked", ["--help", "--version", "--list", "--print-completion-script bash"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_full_disk_behind_the_output_is_told_without_a_traceback(asked, unbuffered):
    ran = started(f"tool {asked} > /dev/full; echo ended with $? >&2", PYTHONUNBUFFERED=unbuffered)

    assert ran.stderr.splitlines() == [
        "error: the output cannot be written: No space left on device",
        "ended with 3",
    ]


@pytest.mark.parametrize("asked", ["--help", "--version", "--list", "--print-completion-script bash"])
def test_closed_output_is_told_as_any_that_cannot_be_written(asked):
    ran = started(f"tool {asked} >&-; echo ended with $? >&2")

    assert ran.stderr.splitlines() == ["error: the output cannot be written: Bad file descriptor", "ended with 3"]


def test_version_goes_to_standard_output_with_tool_and_python_first(heat_scaleout):
    code, out, err = heat_scaleout("--version")

    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()[:3]] == ["heat-scaleout", "Python", "fabric"]


def test_commands_in_texts_are_those_of_the_program_that_runs(monkeypatch):
    text = f"{Locked.lost().hint} It was: invoke deploy --yes"

    monkeypatch.setattr(sys, "argv", ["/opt/venv/bin/heat-scaleout"])
    assert called_as.spelled(text).startswith("`heat-scaleout deploy` goes on")
    assert called_as.spelled(text).endswith("It was: invoke deploy --yes")  # somebody else's command stays as it was
    assert called_as.command("invoke rollback --to 3") == "heat-scaleout rollback --to 3"

    monkeypatch.setattr(sys, "argv", ["/opt/venv/bin/invoke"])
    assert called_as.spelled(text) == text
    assert called_as.command("invoke rollback --to 3") == "invoke rollback --to 3"


def test_hint_of_an_error_names_the_program_that_runs(heat_scaleout, tmp_path):
    (tmp_path / "site.yaml").write_text(sites.an_inventory_text())

    code, _, err = heat_scaleout("scale", "--inventory", "site.yaml")

    assert (code, err.splitlines()[-1]) == (3, "hint: Try: `heat-scaleout scale --engines 6 --api 4`")
