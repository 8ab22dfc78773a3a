"""Every template as it is rendered for one small site, judged by the programs that read it; the guide's own sample."""

import re
import shutil
import subprocess

import pytest
import sites
from oslo_config import iniparser

from deployer.desired import desired_state
from deployer.model.service import Service
from deployer.proxy import config
from lab import authority

TEMPLATES = sites.ROOT / "templates"
PARTS = {"host/process.j2", "host/sandbox.j2"}  # included by the units of all
# The directives of the sample of Heat's guide "Scaling a Deployment", section by section.
GUIDE_PROXY = {
    "global": {"daemon", "maxconn 4000"},
    "defaults": {
        "log global",
        "maxconn 8000",
        "option redispatch",
        "retries 3",
        "timeout http-request 10s",
        "timeout queue 1m",
        "timeout connect 10s",
        "timeout client 1m",
        "timeout server 1m",
        "timeout check 10s",
    },
    "listen rest_api_proxy": {
        "bind 10.0.0.1:8004",
        "balance source",
        "option tcpka",
        "option httpchk",
        "server rest-server-1 10.0.0.2:8004",
        "server rest-server-2 10.0.0.3:8004",
    },
    "listen cfn_api_proxy": {
        "bind 10.0.0.1:8000",
        "balance source",
        "option tcpka",
        "option httpchk",
        "server cfn-server-1 10.0.0.2:8000",
        "server cfn-server-2 10.0.0.3:8000",
    },
}


BACKEND_TLS = {
    "heat": ", tls: {certificate: /etc/ssl/heat/api.pem, key: /etc/ssl/heat/api.key}",
    "proxy": ", backend_tls: {ca: /etc/ssl/heat/ca.pem}",
}
PLAIN = {"heat": "", "proxy": ""}


def golden_site(installed=sites.HEAT_27, more=PLAIN):
    """One node with everything, an own page of statistics and workers of its own choice."""
    inventory = sites.an_inventory(
        heat="engine_workers: 4, api_workers: 3" + more["heat"],
        hostC="",
        proxy='stats: {bind: "127.0.0.1:1936", user: operator, password: example}, '
        "tls: {certificate: /etc/haproxy/site.pem}" + more["proxy"],
    )
    return desired_state.desired_states(inventory, sites.bare(inventory, installed=installed)).states


def texts(installed, more=PLAIN):
    """Template -> what it is rendered to, under the launcher of a release."""
    observed = {}
    for state in golden_site(installed, more).values():
        for path, file in state.files.items():
            name = path.rpartition("/")[2]
            observed[_template(name)] = file.content.decode()
    return {name: text for name, text in observed.items() if name}


def _template(name):
    """The template of a rendered file, by its name on the host."""
    special = {r"(api|cfn)-\d+\.conf": r"\1/\1-port.conf", r"(api|cfn|engine)\.config": "host/service.config"}
    for pattern, template in special.items():
        if match := re.fullmatch(pattern, name):
            return match.expand(template)
    return next(
        (path.relative_to(TEMPLATES).as_posix().removesuffix(".j2") for path in TEMPLATES.rglob(f"{name}.j2")), ""
    )


LAUNCHERS = {
    "uwsgi": texts(sites.HEAT_27),
    "heat-api": texts(sites.HEAT_24),
    "backend-tls": texts(sites.HEAT_24, BACKEND_TLS),
}
RENDERED = [
    (kind, name)
    for kind, observed in LAUNCHERS.items()
    for name in sorted(observed)
    if kind == "uwsgi" or observed[name] != LAUNCHERS["uwsgi"].get(name)
]


def test_every_template_is_rendered_by_the_golden_site():
    names = {path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.j2")} - PARTS

    assert {f"{name}.j2" for each in LAUNCHERS.values() for name in each} == names


@pytest.mark.parametrize(("launcher", "name"), RENDERED)
def test_template_is_rendered_as_its_golden_file(launcher, name, golden):
    golden(f"{launcher}/{name}", LAUNCHERS[launcher][name])


@pytest.mark.parametrize(("launcher", "name"), RENDERED)
def test_rendered_file_ends_with_one_line_break_and_has_no_blanks_at_line_ends(launcher, name):
    text = LAUNCHERS[launcher][name]

    assert text.endswith("\n") and not text.endswith("\n\n")
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


@pytest.mark.parametrize(("launcher", "name"), RENDERED)
def test_rendered_file_says_who_manages_it(launcher, name):
    if name != "host/service.config":  # what the process is, copied by the process that starts
        assert "heat-scaleout" in LAUNCHERS[launcher][name].splitlines()[0]


def judged_by_haproxy(text, folder):
    path = folder / "apis-proxy.conf"
    drained = folder / "drained"  # its unit makes it before the proxy reads it
    drained.write_text("1\n")
    path.write_text(text.replace(config.DRAINED_STATE_FILE, str(drained)))
    return subprocess.run(["/usr/sbin/haproxy", "-c", "-f", str(path)], capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize(
    "settings",
    [
        "",
        "balance: leastconn",
        "server_names: numbered",
        'bind: {api: "*:8004", cfn: "[::1]:8000"}',
        'stats: {bind: "127.0.0.1:1936", user: operator, password: "a:b!c"}',
        'stats: {bind: "[::1]:1936", user: x, password: y}',
        "check: {path: /, interval: 500ms, rise: 1, fall: 9}, timeouts: {server: 3m}, retries: 0",
    ],
)
def test_proxys_configuration_is_valid_for_haproxy(settings, tmp_path):
    inventory = sites.an_inventory(proxy=settings)
    file = (
        desired_state.desired_states(inventory, sites.bare(inventory))
        .states["hostA"]
        .files["/etc/heat-scaleout/apis-proxy.conf"]
    )

    judged = judged_by_haproxy(file.content.decode(), tmp_path)

    assert (judged.returncode, [line for line in judged.stderr.splitlines() if "WARNING" in line]) == (0, [])


@pytest.mark.parametrize("launcher", ["uwsgi", "backend-tls"])
def test_proxys_configuration_with_tls_is_valid_for_haproxy(launcher, tmp_path):
    authority.make(tmp_path)
    certificate = tmp_path / "site.pem"
    certificate.write_text("".join(authority.sign(tmp_path, "heat.example.org", "10.0.0.1")))

    text = LAUNCHERS[launcher]["proxy/apis-proxy.conf"].replace("/etc/haproxy/site.pem", str(certificate))
    judged = judged_by_haproxy(text.replace("/etc/ssl/heat/ca.pem", str(tmp_path / "ca.pem")), tmp_path)

    assert (judged.returncode, [line for line in judged.stderr.splitlines() if "WARNING" in line]) == (0, [])


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_units_are_valid_for_systemd(launcher, tmp_path):
    """systemd-analyze looks for the programs too, so each stands in for one that is there."""
    units = []
    for name, text in LAUNCHERS[launcher].items():
        if name.endswith((".service", ".slice")):
            path = tmp_path / name.rpartition("/")[2]
            path.write_text(re.sub(r"(?m)^(Exec\w+=)\S+", rf"\1{shutil.which('true')}", text))
            units.append(str(path).replace("@.", "@8004."))

    judged = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units],
        capture_output=True,
        text=True,
        timeout=60,
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )

    assert [line for line in judged.stderr.splitlines() if "heat-scaleout" in line] == []
    assert judged.returncode == 0


@pytest.mark.parametrize("name", ["api/api-port.conf", "cfn/cfn-port.conf"])
def test_overlay_is_read_by_oslo_config_as_meant(name):
    read = {}
    parser = iniparser.BaseParser()
    parser.new_section = lambda section: read.setdefault("section", section)
    parser.assignment = lambda key, value: read.update({key: value[0]})
    parser.comment = lambda text: None
    parser.parse(LAUNCHERS["heat-api"][name].splitlines())

    service = Service(name.partition("/")[0])
    expected = {Service.API: ("heat_api", "8004"), Service.CFN: ("heat_api_cfn", "8000")}[service]
    assert (read["section"], read["bind_port"], read["bind_host"]) == (*expected, "10.0.0.2")


def guide():
    inventory = sites.guide()
    return desired_state.desired_states(inventory, sites.bare(inventory, conf=sites.CONF, paste="")).states


def sections(text):
    """Section -> its directives, with single blanks."""
    observed = {}
    for line in text.splitlines():
        if line and not line.startswith((" ", "#")):
            observed[line] = current = set()
        elif line.startswith(" "):
            current.add(" ".join(line.split()))
    return observed


def test_guides_proxy_has_every_directive_of_the_guides_sample_with_its_values(golden):
    text = guide()["hostA"].files["/etc/heat-scaleout/apis-proxy.conf"].content.decode()

    ours = sections(text)
    assert list(ours) == list(GUIDE_PROXY)
    for name, desired in GUIDE_PROXY.items():
        assert {each for each in desired if each not in ours[name] and f"{each} check" not in ours[name]} == set()
    golden("guide/apis-proxy.conf", text)


def test_guides_proxy_has_no_server_and_no_address_that_the_guide_has_not():
    ours = sections(guide()["hostA"].files["/etc/heat-scaleout/apis-proxy.conf"].content.decode())

    for name, desired in GUIDE_PROXY.items():
        of_ours = {each.removesuffix(" check") for each in ours[name] if each.startswith(("server ", "bind "))}
        assert of_ours == {each for each in desired if each.startswith(("server ", "bind "))}


@pytest.mark.parametrize(("host", "address"), [("hostB", "10.0.0.2"), ("hostC", "10.0.0.3")])
def test_guides_nodes_have_the_guides_heat_conf(host, address):
    """The database and the broker move to A, the APIs to the node itself; no other line changes."""
    desired = sites.CONF.replace("127.0.0.1", "10.0.0.1").replace("localhost", "10.0.0.1")
    desired = desired.replace("bind_host = 10.0.0.1", f"bind_host = {address}")

    assert guide()[host].files["/etc/heat/heat.conf"].content.decode() == desired
