"""A site that turns to TLS and back, from end to end on hosts in memory: the proxy follows host by host."""

import pytest
import sites

from deployer import errors, pipeline
from deployer.proxy import server_options

CONFIG = "/etc/heat-scaleout/apis-proxy.conf"
HEAT_TLS = "tls: {certificate: /etc/ssl/api.pem, key: /etc/ssl/api.key}"
CA = "backend_tls: {ca: /etc/ssl/ca.pem}"
CLIENTS = "tls: {certificate: /etc/ssl/site.pem}"
ADDRESSES = {"hostB": {"10.0.0.2:8004", "10.0.0.2:8000"}, "hostC": {"10.0.0.3:8004", "10.0.0.3:8000"}}


def plain(**how):
    return sites.an_inventory(**how)


def secure(proxy=CA, **how):
    return sites.an_inventory(heat=HEAT_TLS, proxy=proxy, **how)


def deploy(inventory, fleet):
    report = sites.deploy(inventory, fleet, sites.yes)
    assert report.exit_code == 0, report.applied.failed
    return report


@pytest.fixture
def fleet():
    fleet = sites.a_fleet(plain())
    deploy(plain(), fleet)
    return fleet


def spoken_to_by_tls(fleet):
    """The addresses to which the proxy speaks TLS."""
    text = fleet.hosts["hostA"].files[CONFIG].content.decode()
    return {address for address, link in server_options.options_by_address(text).items() if link}


def steps(report):
    return [
        f"{step.host} {step}".partition(" (")[0]
        for step in report.planned.plan.changes()
        if not str(step).startswith(
            ("write /etc/heat-scaleout/api", "write /etc/heat-scaleout/cfn", "write /etc/systemd", "let ")
        )
    ]


def test_host_gets_tls_options_between_its_restart_and_its_return(fleet):
    report = deploy(secure(), fleet)

    assert steps(report)[:7] == [
        "hostA drain rest_api_proxy/hostB-8004",
        "hostA drain cfn_api_proxy/hostB-8000",
        "hostB restart heat-scaleout-api@8004.service",
        "hostB restart heat-scaleout-cfn@8000.service",
        "hostA reload heat-scaleout-proxy.service",
        "hostA undrain rest_api_proxy/hostB-8004",
        "hostA undrain cfn_api_proxy/hostB-8000",
    ]
    assert spoken_to_by_tls(fleet) == ADDRESSES["hostB"] | ADDRESSES["hostC"]


def test_first_reload_changes_how_the_first_host_is_reached_and_nothing_else(fleet):
    before = fleet.hosts["hostA"].files[CONFIG].content.decode()

    first = next(
        step for step in sites.planned(secure(), fleet).plan if getattr(step, "file", None) and step.file.path == CONFIG
    )

    text = first.file.content.decode()
    assert {address for address, link in server_options.options_by_address(text).items() if link} == ADDRESSES["hostB"]
    unlike = [new for old, new in zip(before.splitlines(), text.splitlines(), strict=True) if old != new]
    assert [line.split()[0] for line in unlike] == ["description", "server", "server"]
    assert first.file.check[:2] == ("/usr/sbin/haproxy", "-c")


def test_second_deploy_with_tls_changes_nothing(fleet):
    deploy(secure(proxy=f"{CA}, {CLIENTS}"), fleet)

    assert sites.planned(secure(proxy=f"{CA}, {CLIENTS}"), fleet).plan.changes() == ()


def test_return_to_plain_http_is_the_same_way(fleet):
    deploy(secure(), fleet)

    report = deploy(plain(), fleet)

    assert steps(report).count("hostA reload heat-scaleout-proxy.service") == 3
    assert spoken_to_by_tls(fleet) == set()
    assert sites.planned(plain(), fleet).plan.changes() == ()


def test_host_that_the_proxy_does_not_trust_is_reverted_before_it_serves_and_the_next_is_not_touched(fleet):
    fleet.breaks("hostA", '"trust": {"name": "hostB"', "certificate verify failed")
    pids = fleet.hosts["hostC"].running()

    report = sites.deploy(secure(), fleet, sites.yes)

    assert report.exit_code == errors.VerifyFailed.exit_code
    assert "certificate verify failed" in str(report.applied.failed["hostA"])
    assert report.reverted is not None and not report.reverted.applied.failed
    assert spoken_to_by_tls(fleet) == set()
    assert "--http-socket" in unit_text(fleet, "hostB")
    assert "--http-socket" in unit_text(fleet, "hostC")
    assert fleet.hosts["hostC"].running() == pids
    assert sites.planned(plain(), fleet).plan.changes() == ()


def test_host_with_tls_from_the_start_needs_no_second_reload():
    fleet = sites.a_fleet(secure())

    report = deploy(secure(), fleet)

    assert [step for step in steps(report) if "reload" in step] == []
    assert spoken_to_by_tls(fleet) == ADDRESSES["hostB"] | ADDRESSES["hostC"]


def test_other_servers_come_and_go_only_at_the_last_reload(fleet):
    inventory = secure(hostB="{address: 10.0.0.2, api: 2, cfn: 1, engines: 2}", hostC="{address: 10.0.0.3, engines: 2}")

    report = deploy(inventory, fleet)

    assert spoken_to_by_tls(fleet) == {*ADDRESSES["hostB"], "10.0.0.2:8005"}
    assert steps(report).index("hostA drain rest_api_proxy/hostC-8004") > steps(report).index(
        "hostA undrain rest_api_proxy/hostB-8004"
    )
    assert sites.planned(inventory, fleet).plan.changes() == ()


def test_new_certificate_of_an_api_restarts_the_apis_of_its_host_alone(fleet):
    deploy(secure(), fleet)
    fleet.hosts["hostC"].certificates["/etc/ssl/api.pem"] = {"digest": "e" * 64}

    assert steps(deploy(secure(), fleet)) == [
        "hostA drain rest_api_proxy/hostC-8004",
        "hostA drain cfn_api_proxy/hostC-8000",
        "hostC restart heat-scaleout-api@8004.service",
        "hostC restart heat-scaleout-cfn@8000.service",
        "hostA undrain rest_api_proxy/hostC-8004",
        "hostA undrain cfn_api_proxy/hostC-8000",
    ]


@pytest.mark.parametrize("path", ["/etc/ssl/site.pem", "/etc/ssl/ca.pem"])
def test_new_certificate_of_the_proxy_reloads_the_proxy_alone(fleet, path):
    inventory = secure(proxy=f"{CA}, {CLIENTS}")
    deploy(inventory, fleet)
    fleet.hosts["hostA"].certificates[path] = {"digest": "e" * 64}

    assert steps(deploy(inventory, fleet)) == ["hostA reload heat-scaleout-proxy.service"]
    assert sites.planned(inventory, fleet).plan.changes() == ()


def test_missing_certificate_is_refused_before_any_change_and_by_preflight(fleet):
    fleet.hosts["hostA"].certificates["/etc/ssl/site.pem"] = {"why": "/etc/ssl/site.pem: No such file", "left": None}
    before = fleet.performed()

    with pytest.raises(errors.NotReady) as refused:
        sites.deploy(secure(proxy=f"{CA}, {CLIENTS}"), fleet, sites.yes)

    assert refused.value.exit_code == 3
    assert any("`proxy.tls`: /etc/ssl/site.pem: No such file" in each for each in refused.value.problems)
    assert {name: [each for each in done if each != "run"] for name, done in fleet.performed().items()} == {
        name: [each for each in done if each != "run"] for name, done in before.items()
    }
    assert any("`proxy.tls`" in each for each in pipeline.preflight(secure(proxy=f"{CA}, {CLIENTS}"), fleet).problems)


def test_uwsgi_without_openssl_is_refused_before_any_change(fleet):
    fleet.uwsgi_flags = "-O2"

    with pytest.raises(errors.NotReady) as refused:
        sites.deploy(secure(), fleet, sites.yes)

    assert [each.split(":")[0] for each in refused.value.problems] == ["hostB", "hostC"]


def test_certificate_that_ends_soon_is_a_warning_of_the_plan(fleet):
    fleet.hosts["hostA"].certificates["/etc/ssl/site.pem"] = {"left": 86400.0 * 3.5}
    reported = []

    sites.deploy(secure(proxy=f"{CA}, {CLIENTS}"), fleet, lambda planned, warnings: reported.extend(warnings) or True)

    assert [
        each for each in reported if each.startswith("hostA: the certificate of `proxy.tls` expires in 3 days")
    ] != []


def unit_text(fleet, host):
    return fleet.hosts[host].files["/etc/systemd/system/heat-scaleout-api@.service"].content.decode()
