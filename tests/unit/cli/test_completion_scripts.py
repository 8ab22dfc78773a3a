"""The scripts in real shells: bash always, zsh and fish where the machine has them."""

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time

import pytest
import sites

from deployer.cli import completion

TOOL = f"""#!{sys.executable}
import sys
sys.path.insert(0, {str(sites.ROOT)!r})
from deployer.cli.program import main
sys.exit(main())
"""
# Calls what bash calls when TAB is pressed after the words given, and prints what it got.
BASH = """
source "./$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_heat_scaleout "$1" "${@: -1}" "${@: -2:1}"
printf '%s\\n' "${COMPREPLY[@]}"
"""
ANSWER_TIMEOUT = 30.0  # seconds for a shell on a busy machine


@pytest.fixture
def shell_home(tmp_path):
    """A folder with the tool in bin/, the scripts, and an inventory whose hosts differ in their first letter."""
    (tmp_path / "bin").mkdir()
    tool = tmp_path / "bin/heat-scaleout"
    tool.write_text(TOOL)
    tool.chmod(0o755)
    for shell in completion.SHELLS:
        (tmp_path / shell).write_text(completion.script(shell))
    (tmp_path / "site one.yaml").write_text("hosts: {alpha: {address: 10.0.0.1}, beta: {address: 10.0.0.2}}")
    return tmp_path


def environment(home):
    return {
        "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "HEAT_SCALEOUT_INVENTORY": "site one.yaml",
    }


def output_of(home, *argv):
    ran = subprocess.run(argv, cwd=home, env=environment(home), capture_output=True, text=True, timeout=ANSWER_TIMEOUT)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout.splitlines()


def typed(home, argv, text, expected):
    """Type a text into a shell on a terminal, and return what it shows until that has what is expected."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(home)
        os.execvpe(argv[0], argv, environment(home))
    os.write(terminal, text.encode())
    shown, deadline = "", time.monotonic() + ANSWER_TIMEOUT
    while expected not in shown and select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))[0]:
        shown += os.read(terminal, 4096).decode(errors="replace")
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    os.close(terminal)
    return shown


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["heat-scaleout", "add-engine", ""], ["alpha", "beta"]),
        (["heat-scaleout", "unl"], ["unlock"]),
        (["heat-scaleout", "deploy", "--limit", "alpha,"], ["alpha,beta"]),
        (["heat-scaleout", "deploy", "--format", "=", "j"], ["json", "jsonl"]),
        (["heat-scaleout", "deploy", "--inventory", "si"], ["site one.yaml"]),
        (["bin/heat-scaleout", "add-engine", "b"], ["beta"]),
        (["bin/invoke", "add-engine", "b"], [""]),
    ],
)
def test_bash_offers_what_may_stand_at_the_cursor(shell_home, words, expected):
    assert output_of(shell_home, "bash", "--norc", "-c", BASH, "bash", "bash", *words) == expected


@pytest.mark.parametrize("shell", [each for each in completion.SHELLS if shutil.which(each)])
def test_script_is_one_that_its_shell_can_read(shell_home, shell):
    assert output_of(shell_home, shell, "-n", shell) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("heat-scaleout add-engine ", ["alpha\t10.0.0.1", "beta\t10.0.0.2"]),
        ("heat-scaleout deploy --limit alpha,", ["alpha,beta\t10.0.0.2"]),
        ("heat-scaleout deploy --format=j", ["--format=json", "--format=jsonl"]),
        ("heat-scaleout deploy --inventory=bi", ["--inventory=bin/"]),
    ],
)
@pytest.mark.parametrize("fish", [each for each in ("fish",) if shutil.which(each)])
def test_fish_offers_what_may_stand_at_the_cursor(shell_home, fish, line, expected):
    assert output_of(shell_home, fish, "--no-config", "-c", f"source ./fish; complete -C '{line}'") == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [("heat-scaleout add-engine al\t", "alpha"), ("heat-scaleout deploy --inventory=bi\t", "--inventory=bin/")],
)
@pytest.mark.parametrize("zsh", [each for each in ("zsh",) if shutil.which(each)])
def test_zsh_completes_what_stands_at_the_cursor(shell_home, zsh, line, expected):
    begin = "autoload -Uz compinit; compinit -u -D; source ./zsh\n"

    assert expected in typed(shell_home, [zsh, "-f", "-i"], begin + line, expected)


@pytest.mark.parametrize("zsh", [each for each in ("zsh",) if shutil.which(each)])
def test_zsh_finds_the_script_as_a_file_of_its_search_path(shell_home, zsh):
    (shell_home / "functions").mkdir()
    (shell_home / "zsh").rename(shell_home / "functions/_heat-scaleout")
    begin = "fpath=(~/functions $fpath); autoload -Uz compinit; compinit -u -D\n"

    assert "alpha" in typed(shell_home, [zsh, "-f", "-i"], begin + "heat-scaleout add-engine al\t", "alpha")
