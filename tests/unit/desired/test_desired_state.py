"""What every host should have follows from the inventory and one observation of the hosts."""

import pytest
import sites

from deployer import errors
from deployer.desired import desired_state
from deployer.inventory import reader
from deployer.model.facts import Observation
from deployer.model.names import Endpoint, unit_name
from deployer.model.service import Service
from deployer.model.state import HostState

HEAT_CONF = "/etc/heat/heat.conf"


def desired(inventory, **observed):
    return desired_state.desired_states(inventory, sites.bare(inventory, **observed))


def units(state):
    return sorted(state.units)


def text_of(state, path):
    return state.files[path].content.decode()


def test_hosts_get_the_units_that_the_inventory_gives_them():
    states = desired(sites.an_inventory(hostB="{address: 10.0.0.2, api: [8004, 8104], engines: 2}")).states

    assert units(states["hostB"]) == [
        unit_name(Service.API, 8004),
        unit_name(Service.API, 8104),
        unit_name(Service.ENGINE, 1),
        unit_name(Service.ENGINE, 2),
    ]
    assert units(states["hostA"]) == [unit_name(Service.PROXY)]


def test_node_gets_the_whole_folder_of_the_source_with_heat_conf_rewritten():
    states = desired(sites.an_inventory()).states

    assert "bind_host = 10.0.0.2" in text_of(states["hostB"], HEAT_CONF)
    assert "rabbit_host = 10.0.0.1" in text_of(states["hostB"], HEAT_CONF)
    assert text_of(states["hostB"], "/etc/heat/api-paste.ini") == sites.PASTE


def test_kind_of_api_that_the_site_has_none_of_is_left_to_whoever_serves_it():
    api_alone = "{address: 10.0.0.2, api: 1, engines: 1}"

    proxy = desired(sites.an_inventory(hostB=api_alone, hostC="")).states["hostA"]

    assert proxy.units[unit_name(Service.PROXY)].needs == (("10.0.0.1", 8004),)
    assert "cfn_api_proxy" not in text_of(proxy, "/etc/heat-scaleout/apis-proxy.conf")


def test_site_that_scales_out_its_engines_alone_has_no_proxy():
    states = desired(sites.an_inventory(hostB="{address: 10.0.0.2, engines: 2}", hostC="")).states

    assert units(states["hostA"]) == []
    assert units(states["hostB"]) == [unit_name(Service.ENGINE, 1), unit_name(Service.ENGINE, 2)]


def test_source_keeps_its_own_folder():
    states = desired(sites.an_inventory(hostA="{address: 10.0.0.1, engines: 1}")).states

    assert not [path for path in states["hostA"].files if path.startswith("/etc/heat/")]
    assert unit_name(Service.ENGINE, 1) in states["hostA"].units


def test_host_without_a_process_of_heat_gets_nothing_of_heat():
    states = desired(sites.an_inventory(hostD="{address: 10.0.0.4}")).states

    assert states["hostD"] == HostState()


def test_heat_conf_is_readable_by_heats_group_alone_and_checked_by_oslo_config():
    file = desired(sites.an_inventory()).states["hostB"].files[HEAT_CONF]

    assert (file.owner, file.group, file.mode) == ("root", "heat", 0o640)
    assert file.check[0] == "/opt/heat/bin/python3"
    assert file.check[-1] == "{}"


def test_proxy_binds_where_the_apis_of_the_source_were():
    conf = sites.CONF.replace("bind_port = 8004", "bind_port = 9004").replace("= 10.0.0.1\n", "= 192.0.2.7\n")

    binds = desired(sites.an_inventory(), conf=conf).binds

    assert binds == {Service.API: Endpoint("192.0.2.7", 9004), Service.CFN: Endpoint("192.0.2.7", 8000)}


ON_LOOPBACK = (
    sites.CONF.replace("bind_host = 10.0.0.1", "bind_host = 127.0.0.1")
    + "[DEFAULT]\nheat_metadata_server_url = http://127.0.0.1:8000\n"
    + "[clients_heat]\nurl = http://127.0.0.1:8004/v1/%(tenant_id)s\n"
)


def test_source_behind_a_load_balancer_of_its_own_has_what_instances_call_warned_of():
    found = desired(sites.an_inventory(), conf=ON_LOOPBACK)

    assert "heat_metadata_server_url = http://127.0.0.1:8000" in text_of(found.states["hostB"], HEAT_CONF)
    assert [each.split(" still")[0].split(" ", 1)[1] for each in found.warnings] == [
        "[DEFAULT] heat_metadata_server_url:",
        "[clients_heat] url:",
    ]


def test_what_instances_call_is_at_the_addresses_that_the_inventory_states():
    stated = sites.an_inventory(proxy='bind: {api: "10.0.0.8:9004", cfn: "*:9000"}')

    found = desired(stated, conf=ON_LOOPBACK)

    assert "heat_metadata_server_url = http://10.0.0.1:9000" in text_of(found.states["hostB"], HEAT_CONF)
    assert "url = http://10.0.0.8:9004/v1/%(tenant_id)s" in text_of(found.states["hostB"], HEAT_CONF)
    assert found.warnings == ()


def test_api_that_the_source_keeps_is_called_there_not_at_the_proxys_host():
    conf = ON_LOOPBACK.replace("bind_host = 127.0.0.1", "bind_host = 0.0.0.0")
    text = sites.an_inventory_text(hostB="{address: 10.0.0.2, api: 1, engines: 1}", hostC="{address: 10.0.0.3}")
    inventory = reader.parse(text.replace("proxy: {host: hostA", "proxy: {host: hostC"), sites.PATH)

    node = text_of(desired(inventory, conf=conf).states["hostB"], HEAT_CONF)

    assert "heat_metadata_server_url = http://10.0.0.1:8000" in node
    assert "url = http://10.0.0.3:8004/v1/%(tenant_id)s" in node


def test_sources_loopback_address_on_another_host_is_warned_of_unless_the_inventory_states_it():
    text = sites.an_inventory_text().replace("proxy: {host: hostA", "proxy: {host: hostC")
    stated = text.replace("proxy: {host: hostC", 'proxy: {host: hostC, bind: {api: "127.0.0.1:8004", cfn: "*:8010"}')
    conf = sites.CONF.replace("bind_host = 10.0.0.1", "bind_host = 127.0.0.1")

    assert desired(reader.parse(text, sites.PATH), conf=conf).warnings == tuple(
        f"hostC: the proxy listens on 127.0.0.1:{port} alone, as the API did on hostA: nothing outside that host "
        f"reaches it. Set `proxy.bind.{service}`."
        for service, port in (("api", 8004), ("cfn", 8000))
    )
    assert desired(reader.parse(stated, sites.PATH), conf=conf).warnings == ()


def test_proxy_binds_where_the_inventory_says_before_all_else():
    binds = desired(sites.an_inventory(proxy='bind: {api: "192.0.2.7:80"}')).binds

    assert binds == {Service.API: Endpoint("192.0.2.7", 80), Service.CFN: Endpoint("10.0.0.1", 8000)}


def test_proxy_without_an_address_in_heat_conf_binds_where_something_listens_now():
    listeners = (sites.a_listener(5000, "127.0.0.1"), sites.a_listener(8004, "0.0.0.0"))

    binds = desired(sites.an_inventory(), conf="[DEFAULT]\n", listeners=listeners).binds

    assert binds == {Service.API: Endpoint("0.0.0.0", 8004), Service.CFN: Endpoint("10.0.0.1", 8000)}


def test_instances_reach_a_proxy_on_all_addresses_at_the_front_hosts_own():
    conf = sites.CONF.replace("[DEFAULT]", "[DEFAULT]\nheat_metadata_server_url = http://127.0.0.1:8000")
    inventory = sites.an_inventory(proxy='bind: {api: "*:8004", cfn: "*:8000"}')

    states = desired(inventory, conf=conf).states

    assert "heat_metadata_server_url = http://10.0.0.1:8000" in text_of(states["hostB"], HEAT_CONF)


def test_launcher_is_what_the_installed_heat_has():
    for installed, launcher in ((sites.HEAT_27, "uwsgi"), (sites.HEAT_24, "heat-api")):
        files = desired(sites.an_inventory(), installed=installed).states["hostB"].files
        assert ("/etc/heat-scaleout/api.ini" in files) == (launcher == "uwsgi")
        assert ("/etc/heat-scaleout/api-8004.conf" in files) == (launcher == "heat-api")


def test_launcher_that_the_inventory_names_wins():
    files = desired(sites.an_inventory(heat="launcher: heat-api")).states["hostB"].files

    assert "/etc/heat-scaleout/api-8004.conf" in files


def test_launcher_where_no_heat_was_found_is_what_the_newest_releases_need():
    assert "/etc/heat-scaleout/api.ini" in desired(sites.an_inventory(), installed=()).states["hostB"].files


def test_slice_is_only_where_something_runs():
    states = desired(sites.an_inventory(hostD="{address: 10.0.0.4}")).states

    assert [name for name, state in states.items() if "/etc/systemd/system/heat-scaleout.slice" in state.files] == [
        "hostA",
        "hostB",
        "hostC",
    ]


def test_loopback_address_that_was_left_alone_is_reported_once_for_all_hosts():
    conf = sites.CONF + "\n[mine]\nurl = http://127.0.0.1:8004/v1\n"

    warnings = desired(sites.an_inventory(), conf=conf).warnings

    assert len(warnings) == 1
    assert "hostA:/etc/heat/heat.conf:" in warnings[0]


def test_api_on_the_address_that_the_proxy_takes_over_is_refused_with_its_place():
    inventory = sites.an_inventory(
        hostA="{address: 10.0.0.1, api: [8014, 8004]}", proxy='bind: {api: "10.0.0.1:80", cfn: "10.0.0.1:81"}'
    )
    without_bind = sites.an_inventory(hostA="{address: 10.0.0.1, api: [8014]}")
    conf = sites.CONF.replace("bind_port = 8004", "bind_port = 8014")

    assert unit_name(Service.API, 8004) in desired(inventory).states["hostA"].units
    with pytest.raises(errors.BadInput, match="hosts.hostA.api: 10.0.0.1:8014 is the proxy's own address") as raised:
        desired(without_bind, conf=conf)
    assert "api: [8024]" in raised.value.hint


def test_source_without_heat_conf_is_refused_with_its_name():
    inventory = sites.an_inventory()
    observed = sites.bare(inventory) | {"hostA": Observation(HostState(), sites.facts())}

    with pytest.raises(errors.BadInput, match="hostA: there is no /etc/heat/heat.conf") as raised:
        desired_state.desired_states(inventory, observed)
    assert "heat.source" in raised.value.hint


def test_broken_heat_conf_of_the_source_is_refused_with_its_line():
    inventory = sites.an_inventory()

    with pytest.raises(errors.BadConfig, match="hostA:/etc/heat/heat.conf:2:"):
        desired_state.desired_states(inventory, sites.bare(inventory, conf="[DEFAULT]\nnonsense\n"))


def test_health_is_asked_where_the_paste_pipeline_has_it_and_at_the_root_elsewhere():
    for paste, path in ((sites.PASTE, "/healthcheck"), ("", "/")):
        state = desired(sites.an_inventory(), paste=paste).states["hostB"]
        assert state.units[unit_name(Service.API, 8004)].ready.path == path


def test_one_more_engine_changes_no_file_and_no_other_unit():
    before = desired(sites.an_inventory()).states
    after = desired(sites.an_inventory(hostB="{address: 10.0.0.2, api: 1, cfn: 1, engines: 3}")).states

    added = unit_name(Service.ENGINE, 3)
    assert {name: state.files for name, state in after.items()} == {name: state.files for name, state in before.items()}
    assert {name: unit for name, unit in after["hostB"].units.items() if name != added} == before["hostB"].units


def test_changed_heat_conf_changes_the_configuration_of_every_process_that_reads_it():
    before = desired(sites.an_inventory()).states
    after = desired(sites.an_inventory(), conf=sites.CONF + "[cache]\nenabled = true\n").states

    same = [
        name
        for host in ("hostB", "hostC")
        for name, unit in before[host].units.items()
        if after[host].units[name].config == unit.config
    ]
    assert same == []
    assert after["hostA"] == before["hostA"]
