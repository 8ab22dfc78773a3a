"""Names and addresses of lab hosts."""

import pytest

from lab import addressing
from lab.lab_errors import BadInput


def test_thirty_hosts_are_named_past_the_alphabet():
    names = addressing.host_names(addressing.MOST_HOSTS)
    assert names[:3] == ["hostA", "hostB", "hostC"]
    assert (names[25:28], names[51:53], names[-1]) == (["hostZ", "hostAA", "hostAB"], ["hostAZ", "hostBA"], "hostCV")
    assert len(set(names)) == 100  # as many as bin/bench asks for


@pytest.mark.parametrize("count", [0, -1, 101])
def test_number_of_hosts_out_of_range_is_refused(count):
    with pytest.raises(BadInput, match=str(count)):
        addressing.host_names(count)


def test_addresses_begin_at_eleven_and_never_meet_the_gateway():
    addresses = addressing.addresses(7, addressing.MOST_HOSTS)
    assert addresses["hostA"] == "198.18.7.11"
    assert addresses["hostAD"] == "198.18.7.40"
    assert addresses["hostCV"] == "198.18.7.110"
    assert addressing.gateway(7) not in addresses.values()


@pytest.mark.parametrize("name", ["", "Demo", "1st", "a b", "x" * 21, "../up", "a.b"])
def test_name_that_could_not_be_a_folder_or_a_machine_is_refused(name):
    with pytest.raises(BadInput):
        addressing.checked(name)


def test_longest_machine_name_fits_what_a_host_name_may_have():
    assert len(addressing.machine("x" * 20, "hostAD")) <= 64


def test_bridge_name_fits_what_a_link_may_have():
    assert len(addressing.bridge(255)) <= 15
