"""A journal's entry as a line: TIME HOST UNIT MESSAGE."""

from datetime import UTC

import sites

from deployer.cli.views import logs_text
from deployer.cli.views.logs_text import LogColumns
from deployer.logs.merge import LogEntry

WIDTHS = LogColumns(host=5, unit=8, zone=UTC)


def an_entry(message, unit="heat-scaleout-engine@1.service"):
    return LogEntry(1_795_284_551_681_974, "hostB", unit, 42, 6, message)


def plain(host, text):
    return text


def test_entry_is_a_line_with_columns_that_stand_below_one_another():
    shown = [
        logs_text.line(an_entry("started"), WIDTHS, plain),
        logs_text.line(an_entry("ready", "heat-scaleout-proxy.service"), WIDTHS, plain),
    ]

    assert shown == ["11-21 18:09:11.681 hostB engine@1 started", "11-21 18:09:11.681 hostB proxy    ready"]


def test_message_of_several_lines_cannot_be_taken_for_several_entries():
    forged = "failed\n11-21 18:09:12.000 hostC engine@1 all is well"

    first, second = logs_text.line(an_entry(forged), WIDTHS, plain).split("\n")

    assert first.endswith(" failed")
    assert second == "    | 11-21 18:09:12.000 hostC engine@1 all is well"


def test_host_and_unit_are_painted_and_neither_time_nor_message():
    shown = logs_text.line(an_entry("started"), WIDTHS, lambda host, text: f"<{host}:{text}>")

    assert shown == "11-21 18:09:11.681 <hostB:hostB engine@1> started"


def test_columns_are_wide_enough_for_the_hosts_processes_before_any_has_said_a_word():
    widths = logs_text.columns(sites.an_inventory(), ["hostB"], [])

    assert (widths.host, widths.unit) == (len("hostB"), len("engine@1"))


def test_columns_are_wide_enough_for_entries_of_other_units():
    widths = logs_text.columns(sites.an_inventory(), ["hostB"], [an_entry("x", "openstack-heat-engine.service")])

    assert widths.unit == len("openstack-heat-engine")
