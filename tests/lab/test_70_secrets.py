"""Nobody gets in and nothing gets out: no secret is shown, logged or readable by others, whatever fails."""

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

pytestmark = [pytest.mark.lab, pytest.mark.on("newest")]
ROOT = Path(__file__).resolve().parents[2]
PAGE = "proxy: {host: hostA, stats: {bind: '127.0.0.1:1936', user: operator, password: CanaryOfThePage42}}"
IN_ENVIRONMENT = "CanaryOfTheEnvironment7"
CONTROL = "control-5d1f7e-control"  # what the spy must find: its own argument, and a file that everybody may read
FOLDERS = ("/etc/heat", "/etc/heat-scaleout", "/var/lib/heat-scaleout", "/etc/systemd/system", "/run/heat-scaleout-spy")
STOP = "/run/heat-scaleout-spy/stop"
SPY = (Path(__file__).parent / "spy.py").read_text()
LOUD = "/etc/systemd/system/heat-scaleout-engine@1.service.d/loud.conf"
SAYS_ALL = """[Service]
ExecStartPre=/bin/grep -e ^connection -e ^password /etc/heat/heat.conf
ExecStartPre=/bin/false
"""


@dataclass
class Spied:
    """What was said by commands, and what spies found on every host and on this machine."""

    said: dict[str, str] = field(default_factory=dict)
    found: dict[str, dict] = field(default_factory=dict)


@pytest.fixture(scope="module")
def secrets(site) -> set[str]:
    """Every secret of the site in the spellings of configuration files, programs and URLs."""
    conf = site.on("hostA", "cat", "/etc/heat/heat.conf")
    written = {
        *re.findall(r"://[^:/@\s]+:([^@\s]+)@", conf),
        "CanaryOfThePage42",
        IN_ENVIRONMENT,
        *re.findall(r"^\w*(?:password|_key) *= *(.+)$", conf, re.MULTILINE),
        *re.findall(r'password: "?([^"\s]+)', (site.lab.directory / "clouds.yaml").read_text()),
    }
    plain = {unquote(each).replace("$$", "$") for each in written}
    assert len(plain) >= 7
    assert min(map(len, plain)) >= 12
    return {*written, *plain, *(quote(each, safe="") for each in plain)}


@pytest.fixture(scope="module")
def spied(site, secrets) -> Spied:
    """A deploy that writes heat.conf on the nodes and the proxy's configuration, with spies on every host."""
    inventory = site.edited(("proxy: {host: hostA}", PAGE), name="page.yaml")
    for host in ("hostB", "hostC"):
        site.on(host, "rm", "/etc/heat/heat.conf")  # what runs has read it; it comes back as it was
    run = Spied()
    with spies(site, secrets, run):
        said(site, run, "deploy", "--yes", "--format", "json", inventory=inventory)
    for command in (
        ["plan", "--diff"],
        ["plan", "--diff", "--format", "json"],
        ["status"],
        ["status", "--format", "json"],
        ["preflight"],
        ["recover", "--yes", "--format", "json"],
        ["verify", "--format", "json"],
    ):
        said(site, run, *command, inventory=inventory)
    said(site, run, "plan", "--diff")  # in which the page goes, and its password with it
    site.invoke("deploy", "--yes")
    return run


def test_commands_say_no_secret_at_the_highest_verbosity(secrets, spied):
    assert all("invoke." in text for text in spied.said.values()), "the details were not asked for"
    assert shown_in(secrets, spied.said) == {}
    assert "RESP BODY" not in spied.said["verify --format json"], "Keystone's answers hold the keys that it lends"


def test_no_command_line_holds_a_secret_at_any_moment(spied):
    for place, found in spied.found.items():
        assert found["control"], f"the spy of {place} did not even see itself"
        assert found["argv"] == []


def test_no_file_with_a_secret_is_readable_by_others_at_any_moment(site, spied):
    for host in site.lab.hosts:
        found = spied.found[host]
        assert found["looks"] > 20
        assert "/etc/heat/heat.conf" in found["private"]
        assert found["open"] == ["/run/heat-scaleout-spy/control"]
    assert "/etc/heat-scaleout/apis-proxy.conf" in spied.found["hostA"]["private"]


def test_journal_and_units_of_every_host_hold_no_secret(site, secrets, spied):
    texts = {}
    for host in site.lab.hosts:
        texts[f"{host} journal"] = site.on(host, "journalctl", "--no-pager", "--output=export", "--lines=all")
        texts[f"{host} show"] = site.on(host, "systemctl", "show", "--all", "heat-scaleout-*")
        texts[f"{host} units"] = site.on(host, "systemctl", "cat", "heat-scaleout-*")

    assert "sudo" in texts["hostB journal"] and "heat-scaleout-engine@1" in texts["hostB journal"]
    assert "heat-scaleout-engine@1" in texts["hostB show"]
    assert shown_in(secrets, texts) == {}


def test_sockets_of_the_proxy_are_for_root_alone(site):
    modes = site.on("hostA", "find", "/run/heat-scaleout-proxy", "-type", "s", "-printf", "%m %u %p\n").splitlines()

    assert len(modes) >= 2
    assert {line.rpartition(" ")[0] for line in modes} == {"600 root"}


def test_unit_that_says_its_secrets_when_it_dies_is_told_without_them(site, secrets, restored):
    put(site, "hostB", LOUD, SAYS_ALL)
    site.on("hostB", "systemctl", "daemon-reload")
    try:
        ran = site.invoke("restart", "--limit", "hostB", "--yes", "--format", "json", code=5)
    finally:
        site.on("hostB", "rm", "-r", str(Path(LOUD).parent))
        site.on("hostB", "systemctl", "daemon-reload")
        site.on("hostB", "systemctl", "reset-failed", "heat-scaleout-engine@1.service")

    told = json.dumps(json.loads(ran.stdout)["failed"])
    assert "connection = mysql+pymysql://heat:***@" in told, told
    assert "password = ***" in told, told
    assert shown_in(secrets, {"stdout": ran.stdout, "stderr": ran.stderr}) == {}


def test_database_that_is_away_and_logins_that_are_wrong_are_told_without_secrets(site, secrets):
    run = Spied()
    site.on("hostA", "cp", "-a", "/etc/heat/heat.conf", "/var/tmp/heat.conf.right")
    site.on("hostA", "sed", "-Ei", "s#(//heat:)([^@]+@)#\\1wrong-\\2#; s#^password = #&wrong-#", "/etc/heat/heat.conf")
    try:
        said(site, run, "preflight", code=3)
        said(site, run, "deploy", "--yes", code=3)
        site.on("hostA", "systemctl", "stop", "mariadb")
        said(site, run, "status", "--format", "json")
        said(site, run, "recover", "--yes", code=5)
        said(site, run, "preflight", "--format", "json", code=3)
    finally:
        site.on("hostA", "mv", "/var/tmp/heat.conf.right", "/etc/heat/heat.conf")
        site.on("hostA", "systemctl", "start", "mariadb")

    assert "refuses this host" in run.said["preflight"]
    assert shown_in(secrets, run.said) == {}


@pytest.fixture
def changed(site, tmp_path) -> Path:
    """The inventory with a file of host keys in which hostB's is another's."""
    key = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, timeout=30)
    other = key.with_suffix(".pub").read_text().split()[1]
    lines = (site.lab.directory / "known_hosts").read_text().splitlines()
    known = tmp_path / "known_hosts"
    known.write_text("".join(re.sub(r"\S+$", other, line) + "\n" if "hostB" in line else line + "\n" for line in lines))
    return site.edited((f"known_hosts: {site.lab.directory}/known_hosts", f"known_hosts: {known}"), name="changed.yaml")


def test_host_with_another_key_is_refused_and_nothing_is_sent(site, changed):
    with nobody_logs_in(site, "hostB"):
        ran = site.invoke("deploy", "--yes", code=4, inventory=changed)

    assert "hostB: the host key of operator@" in ran.stderr
    assert "is not the one we know; nothing was sent" in ran.stderr


def test_witness_refuses_a_host_with_another_key_too(site, changed):
    suite = ROOT / "tests" / "acceptance"
    with nobody_logs_in(site, "hostB"):
        ran = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                str(suite),
                "-c",
                str(suite / "pytest.ini"),
                "--rootdir",
                str(suite),
                "--confcutdir",
                str(suite),
                "-p",
                "no:cacheprovider",
                "-p",
                "no:xdist",
                "-q",
                f"--inventory={changed}",
            ],
            cwd=suite,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
        )

    assert ran.returncode == 1
    assert "Host key verification failed" in ran.stdout


@contextlib.contextmanager
def nobody_logs_in(site, host):
    """Fail when a host's sshd has let anybody in meanwhile: that takes a key exchange that both sides believe."""
    let_in = ["journalctl", "--no-pager", "--output=cat", "--grep=^Accepted ", "--identifier=sshd"]
    before = site.on(host, *let_in).count("Accepted ")
    yield
    assert site.on(host, *let_in).count("Accepted ") == before + 1  # this very question


def said(site, run, *command, code=0, inventory=None):
    """Run a command with every detail that there is, and keep what it says."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("OS_PASSWORD", "HEAT_SCALEOUT_PASSWORD", "HEAT_PASSWORD", "SUDO_PASSWORD"):
            environment.setenv(name, IN_ENVIRONMENT)
        ran = site.invoke("--debug", "--echo", *command, code=code, inventory=inventory)
    run.said[" ".join(command)] = f"{ran.stdout}\n{ran.stderr}"


def shown_in(secrets, texts):
    """Name of a text -> what stands before a secret in it."""
    places = {name: [text.find(secret) for secret in secrets] for name, text in texts.items()}
    return {
        name: [texts[name][max(0, each - 80) : each] for each in found if each >= 0]
        for name, found in places.items()
        if max(found) >= 0
    }


@contextlib.contextmanager
def spies(site, secrets, run):
    """Spies on every host and here, for the length of a `with`; what they found is then in `run`."""
    here = Path(site.inventory.parent / "spying")
    here.write_text("")
    ways = {"here": ([sys.executable, "-", CONTROL], [], str(here))}
    for host in site.lab.hosts:
        put(site, host, STOP, "")
        put(site, host, "/run/heat-scaleout-spy/control", CONTROL)
        ssh = ["ssh", "-F", str(site.lab.directory / "ssh_config"), host, f"sudo -n python3 - {CONTROL}"]
        ways[host] = (ssh, FOLDERS, STOP)
    threads = [threading.Thread(target=spy, args=(name, way, sorted(secrets), run)) for name, way in ways.items()]
    for each in threads:
        each.start()
    try:
        yield
    finally:
        here.unlink()
        for host in site.lab.hosts:
            site.on(host, "rm", STOP)
        for each in threads:
            each.join(timeout=60)
        for host in site.lab.hosts:
            site.on(host, "rm", "-r", "/run/heat-scaleout-spy")


def spy(name, way, secrets, run):
    """Let one look until its file is gone."""
    argv, folders, stop = way
    given = f"SECRETS, CONTROL, FOLDERS, STOP = {secrets!r}, {CONTROL!r}, {list(folders)!r}, {stop!r}\n{SPY}"
    ran = subprocess.run(argv, input=given, capture_output=True, text=True, timeout=300, env=os.environ)
    run.found[name] = json.loads(ran.stdout) if ran.stdout else {"argv": [], "error": ran.stderr}


def put(site, host, path, text):
    """Write a file on a host, whose folder may not be there."""
    site.on(
        host,
        "python3",
        "-c",
        "import pathlib, sys; path = pathlib.Path(sys.argv[1]); "
        "path.parent.mkdir(exist_ok=True); path.write_text(sys.argv[2])",
        path,
        text,
    )


def test_spy_is_not_fooled(tmp_path):
    """What the spy says of a file that others may read, and of one that they may not."""
    for name, mode in (("open", 0o644), ("private", 0o640)):
        (tmp_path / name).write_text(f"x {CONTROL} y")
        (tmp_path / name).chmod(mode)
    run, stop = Spied(), tmp_path / "stop"
    stop.write_text("")
    watch = threading.Timer(2, stop.unlink)
    watch.start()
    with subprocess.Popen(["tail", "-f", "/dev/null", "secret-in-argv"], stderr=subprocess.DEVNULL) as careless:
        spy("here", ([sys.executable, "-", CONTROL], [str(tmp_path)], str(stop)), ["secret-in-argv"], run)
        careless.terminate()
    watch.join()

    assert run.found["here"]["open"] == [str(tmp_path / "open")]
    assert run.found["here"]["private"] == [str(tmp_path / "private")]
    assert any(each.startswith(sys.executable) for each in run.found["here"]["control"])
    assert any(each.startswith("tail ") for each in run.found["here"]["argv"])
