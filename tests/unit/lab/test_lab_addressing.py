"""Names and addresses of lab hosts."""

import pytest

from lab import addressing
from lab.lab_errors import BadInput


def test_thirty_hosts_are_named_past_the_alphabet():
    assert addressing.host_names(30)[:3] == ["hostA", "hostB", "hostC"]
    assert addressing.host_names(30)[25:28] == ["hostZ", "hostAA", "hostAB"]


@pytest.mark.parametrize("count", [0, -1, 31])
def test_number_of_hosts_out_of_range_is_refused(count):
    with pytest.raises(BadInput, match=str(count)):
        addressing.host_names(count)


def test_addresses_begin_at_eleven_and_never_meet_the_gateway():
    addresses = addressing.addresses(7, 30)
    assert addresses["hostA"] == "198.18.7.11"
    assert addresses["hostAD"] == "198.18.7.40"
    assert addressing.gateway(7) not in addresses.values()


@pytest.mark.parametrize("name", ["", "Demo", "1st", "a b", "x" * 21, "../up", "a.b"])
def test_name_that_could_not_be_a_folder_or_a_machine_is_refused(name):
    with pytest.raises(BadInput):
        addressing.checked(name)


def test_longest_machine_name_fits_what_a_host_name_may_have():
    assert len(addressing.machine("x" * 20, "hostAD")) <= 64


def test_bridge_name_fits_what_a_link_may_have():
    assert len(addressing.bridge(255)) <= 15
