"""Edits change one value and nothing else, whatever the layout; what cannot be is refused and the text stays."""

import os
import stat
from pathlib import Path

import pytest
from inventory_texts import HOSTS, INVENTORIES, a_text, read

from deployer import errors
from deployer.inventory import editor, reader
from deployer.model.service import Service

HEAD = "version: 1\nheat: {source: hostA}\nproxy: {host: hostA}\nhosts:\n  hostA: {address: 10.0.0.1, engines: 1}\n"

# hostB in every layout that people write: each runs 1 REST API and 2 engines.
LAYOUTS = {
    "one line": "  hostB: {address: 10.0.0.2, api: 1, engines: 2}\n",
    "one line with blanks": "  hostB:   { address : 10.0.0.2 ,api: 1  ,  engines:   2   }   # why\n",
    "one line without them": '  "hostB": {"address":"10.0.0.2","api":1,"engines":2}\n',
    "several lines in braces": "  hostB: {address: 10.0.0.2,  # a\n    api: 1,   # b\n    engines: 2,  # c\n  }\n",
    "block": "  hostB:\n    address: 10.0.0.2\n    api: 1\n    engines: 2\n",
    "block with comments": "  # above\n  hostB:  # beside\n\n    # of address\n    address: 10.0.0.2   # x\n"
    "    api:   1     # REST: y\n\n    engines:    2   \n    # below\n\n",
    "deep block": "  hostB:\n          engines: 2\n          api: 1\n          address: '10.0.0.2'\n          ssh:\n"
    "                port: 22 # p\n",
    "list in brackets": "  hostB: {address: 10.0.0.2, api: [8004], engines: 2}\n",
    "list in brackets over lines": "  hostB:\n    address: 10.0.0.2\n    api: [  # ports\n      8004,  # first\n    ]\n"
    "    engines: 2\n",
    "list in dashes": "  hostB:\n    address: 10.0.0.2\n    api:  # ports\n      - 8004   # first\n    engines: 2\n",
    "list in dashes at the key": "  hostB:\n    address: 10.0.0.2\n    api:\n    -   8004\n    engines: 2 # e\n",
    "key with a question mark": "  hostB:\n    ? address\n    : 10.0.0.2\n    ? api\n    : 1\n    engines: 2\n",
}
TAILS = ("", "  hostC:\n    address: 10.0.0.3\n", "\n# end\n", "  hostC: {address: 10.0.0.3}")


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("service", [Service.API, Service.ENGINE])
def test_edit_and_its_reverse_give_the_same_bytes(layout, service):
    texts = [HEAD + layout + tail for tail in TAILS]
    texts[0] = "\ufeff" + texts[0].replace("\n", "\r\n")
    for text, count in zip(texts, (12, 1, 1, 1), strict=True):
        more = editor.with_more(text, "hostB", service, count)
        assert more != text
        assert editor.with_fewer(more, "hostB", service, count) == text


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize(("service", "before"), [(Service.API, 1), (Service.ENGINE, 2)])
def test_edit_changes_only_the_touched_value(layout, service, before):
    text = HEAD + layout + TAILS[1]
    more = editor.with_more(text, "hostB", service)

    old, new = difference(text, more)
    assert (old, new.strip()) in {
        ("2", "3"),
        ("1", "2"),
        ("", ", 8005"),
        ("", "8005,"),
        ("", "-   8005"),
        ("", "- 8005"),
    }
    assert len(units(more, service)) == before + 1
    assert others(more, service) == others(text, service)


def difference(before: str, after: str) -> tuple[str, str]:
    """The part of two texts between what they have in common at the start and at the end."""
    start = len(os.path.commonprefix([before, after]))
    end = len(os.path.commonprefix([before[start:][::-1], after[start:][::-1]]))
    return before[start : len(before) - end], after[start : len(after) - end]


def units(text: str, service: Service) -> list[str]:
    return [instance.unit for instance in read(text).instances_of("hostB") if instance.service is service]


def others(text: str, service: Service) -> list[str]:
    return [instance for instance in read(text).instances() if instance.service is not service]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{address: 10.0.0.2, engines: 2} # x", "{address: 10.0.0.2, engines: 3} # x"),
        ("{address: 10.0.0.2} # x", "{address: 10.0.0.2, engines: 1} # x"),
        ("{address: 10.0.0.2,} # x", "{address: 10.0.0.2, engines: 1,} # x"),
        ("{address: 10.0.0.2, api: [8004, 8005]}", "{address: 10.0.0.2, api: [8004, 8005], engines: 1}"),
        ("{ address: 10.0.0.2 }", "{ address: 10.0.0.2, engines: 1 }"),
        ("{engines: 0, address: 10.0.0.2}", "{engines: 1, address: 10.0.0.2}"),
        ("\n    address: 10.0.0.2", "\n    address: 10.0.0.2\n    engines: 1"),
        ("\n    address: 10.0.0.2 # x\n    # y", "\n    address: 10.0.0.2 # x\n    engines: 1\n    # y"),
        (
            "\n   address: 10.0.0.2\n   ssh:\n     port: 22",
            "\n   address: 10.0.0.2\n   ssh:\n     port: 22\n   engines: 1",
        ),
        ("\n   address: 10.0.0.2\n   api:\n   - 8004", "\n   address: 10.0.0.2\n   api:\n   - 8004\n   engines: 1"),
        (
            "\n   address: 10.0.0.2\n   ssh: {\n     port: 22\n    }",
            "\n   address: 10.0.0.2\n   ssh: {\n     port: 22\n    }\n   engines: 1",
        ),
        ("\n    ? address\n    : 10.0.0.2", "\n    ? address\n    : 10.0.0.2\n    engines: 1"),
        ("\n    address: >-\n      10.0.0.2\n", "\n    address: >-\n      10.0.0.2\n    engines: 1\n"),
    ],
)
@pytest.mark.parametrize("tail", ["", "\n", "\n  hostC: {address: 10.0.0.3}\n"])
def test_engine_is_added_in_the_style_of_its_host(before, after, tail):
    assert (
        editor.with_more(f"{HEAD}  hostB: {before}{tail}", "hostB", Service.ENGINE) == f"{HEAD}  hostB: {after}{tail}"
    )


@pytest.mark.parametrize(
    ("service", "before", "after"),
    [
        (Service.API, "api: 1", "api: 2"),
        (Service.API, "engines: 2", "engines: 2, api: 1"),
        (Service.API, "api: []", "api: [8004]"),
        (Service.API, "api: [8004]", "api: [8004, 8005]"),
        (Service.API, "api: [9000, 8100]", "api: [9000, 8100, 9001]"),
        (Service.API, "api: 1, cfn: [8005]", "api: [8004, 8006], cfn: [8005]"),
        (Service.CFN, "cfn: 4, api: 1", "cfn: [8000, 8001, 8002, 8003, 8005], api: 1"),
        (Service.CFN, "cfn: 0", "cfn: 1"),
        (Service.API, "api: 1, heat: {api_port: 9000}", "api: 2, heat: {api_port: 9000}"),
        (Service.API, "api: [8003], cfn: [8004, 8005]", "api: [8003, 8006], cfn: [8004, 8005]"),
    ],
)
def test_api_is_added_on_the_next_port_where_nothing_listens(service, before, after):
    text = HEAD + "  hostB: {address: 10.0.0.2, %s}\n"

    assert editor.with_more(text % before, "hostB", service) == text % after


@pytest.mark.parametrize(
    ("proxy", "expected"),
    [
        ("host: hostA", "[8005]"),
        ('host: hostA, bind: {api: "10.0.0.1:8004", cfn: "10.0.0.1:8000"}', "[8005]"),
        ('host: hostA, bind: {api: "*:8004", cfn: "*:8005"}', "[8006]"),
        ('host: hostA, bind: {api: "10.0.0.1:80", cfn: "10.0.0.1:81"}', "1"),
        ('host: hostA, bind: {api: "10.0.0.99:8004", cfn: "10.0.0.99:8000"}', "1"),
        ("host: hostB", "1"),
    ],
)
def test_api_beside_the_proxy_keeps_off_the_proxys_ports(proxy, expected):
    text = a_text(proxy=proxy, hosts=HOSTS.replace("10.0.0.1}", "10.0.0.1} # a"))

    edited = editor.with_more(text, "hostA", Service.API)

    assert edited == text.replace("10.0.0.1} # a", f"10.0.0.1, api: {expected}}} # a")


@pytest.mark.parametrize(
    ("service", "count", "before", "after"),
    [
        (Service.ENGINE, 1, "engines: 2", "engines: 1"),
        (Service.ENGINE, 2, "engines: 2", "engines: 0"),
        (Service.API, 1, "api: 1", "api: 0"),
        (Service.API, 1, "api: [8004, 9000]", "api: [8004]"),
        (Service.API, 2, "api: [8004, 9000]", "api: []"),
    ],
)
def test_fewer_takes_the_last_ones_away(service, count, before, after):
    text = HEAD + "  hostB: {address: 10.0.0.2, %s}  # x\n"

    assert editor.with_fewer(text % before, "hostB", service, count) == text % after


def test_block_list_that_becomes_empty_stays_a_list():
    text = HEAD + "  hostB:\n    address: 10.0.0.2\n    api:  # ports\n    - 8004\n    - 8005 # x\n    engines: 1\n"

    edited = editor.with_fewer(text, "hostB", Service.API, 2)

    assert edited == HEAD + "  hostB:\n    address: 10.0.0.2\n    api: []  # ports\n    engines: 1\n"


@pytest.mark.parametrize(
    ("host", "service", "count", "expected"),
    [
        ("hostX", Service.ENGINE, 1, 'no host hostX, did you mean "host'),
        ("hostb", Service.ENGINE, 1, 'no host hostb, did you mean "hostB"?'),
        ("host\x1b[0m", Service.ENGINE, 1, "u001b"),
        ("hostB", Service.PROXY, 1, "there is one proxy"),
        ("hostB", Service.ENGINE, 0, "a change by 0 is no change"),
        ("hostB", Service.ENGINE, -1, "a change by -1 is no change"),
        ("hostB", Service.ENGINE, 63, "at most 64 of a kind"),
        ("hostB", Service.API, 10**9, "at most 64 of a kind"),
    ],
)
def test_more_of_what_cannot_be_is_refused(host, service, count, expected):
    with pytest.raises(errors.BadInput, match=r".*") as caught:
        editor.with_more(a_text(), host, service, count)

    assert expected in caught.value.message
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("host", "service", "count", "expected"),
    [
        ("hostB", Service.ENGINE, 3, "hostB: 3 engines fewer is not possible: the inventory gives it 2"),
        ("hostA", Service.API, 1, "hostA: 1 api fewer is not possible: the inventory gives it 0"),
        ("hostX", Service.API, 1, "no host hostX"),
    ],
)
def test_fewer_than_nothing_is_refused(host, service, count, expected):
    with pytest.raises(errors.BadInput) as caught:
        editor.with_fewer(a_text(), host, service, count)

    assert expected in caught.value.message


def test_host_is_drained_and_served_from_again_without_another_change_of_the_file():
    text = a_text()
    drained = editor.with_drained(text, "hostB", True)

    assert [line for line in drained.splitlines() if line not in text.splitlines()] == [
        next(line for line in drained.splitlines() if "drained: true" in line)
    ]
    assert reader.parse(drained, Path("some.yaml")).hosts["hostB"].drained
    assert editor.with_drained(drained, "hostB", True) == drained
    assert "drained: false" in editor.with_drained(drained, "hostB", False)
    assert editor.with_drained(text, "hostB", False) == text


def test_draining_every_host_of_a_kind_is_refused():
    hosts = "  hostA: {address: 10.0.0.1, api: 1, engines: 1}\n"

    with pytest.raises(errors.BadInput, match="every host with `api` is drained"):
        editor.with_drained(a_text(hosts=hosts), "hostA", True)


def test_list_in_a_form_that_cannot_be_edited_is_refused_with_one_that_can():
    text = HEAD + "  hostB:\n    address: 10.0.0.2\n    api:\n      -\n        8004\n"

    with pytest.raises(errors.BadInput, match="line 10: this form of list cannot be edited"):
        editor.with_more(text, "hostB", Service.API)


def test_no_free_port_left_is_refused():
    text = HEAD + "  hostB: {address: 10.0.0.2, api: [65535]}\n"

    with pytest.raises(errors.BadInput, match="hostB: no free port above 65535"):
        editor.with_more(text, "hostB", Service.API)


def test_wrong_inventory_is_refused_before_it_is_edited():
    with pytest.raises(errors.BadInventory, match="unknown key"):
        editor.with_more(a_text(more="hots: 1\n"), "hostB", Service.ENGINE)


@pytest.mark.parametrize("path", INVENTORIES, ids=lambda path: path.stem)
@pytest.mark.parametrize("service", [Service.API, Service.CFN, Service.ENGINE])
def test_every_host_of_the_checkouts_inventories_grows_by_one(path, service):
    text = path.read_text()
    for host in read(text).hosts:
        grown = read(editor.with_more(text, host, service))
        assert len(grown.instances()) == len(read(text).instances()) + 1


def test_written_file_keeps_its_mode_and_every_byte(tmp_path):
    path = tmp_path / "site.yaml"
    path.write_text("old")
    path.chmod(0o640)

    editor.write(path, "new\r\n# größer")

    assert path.read_bytes() == "new\r\n# größer".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_link_to_an_inventory_stays_a_link(tmp_path):
    (tmp_path / "real.yaml").write_text("old")
    link = tmp_path / "link.yaml"
    link.symlink_to("real.yaml")

    editor.write(link, "new")

    assert link.is_symlink()
    assert (tmp_path / "real.yaml").read_text() == "new"


@pytest.mark.parametrize("path", ["/proc/nothing/site.yaml", "/nowhere/site.yaml"])
def test_file_that_cannot_be_written_is_bad_input(path):
    with pytest.raises(errors.BadInput, match="cannot be written"):
        editor.write(Path(path), "new")


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "site.yaml"
    target.mkdir()

    with pytest.raises(errors.BadInput, match="cannot be written"):
        editor.write(target, "new")

    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_host_is_taken_out_with_its_own_comments_and_every_other_byte_stays(layout):
    above, own = ("  # above\n", layout.removeprefix("  # above\n")) if "# above" in layout else ("", layout)
    below = "\n" if own.endswith("# below\n\n") else ""
    for tail in TAILS:
        text = HEAD + above + own + tail
        assert editor.without_host(text, "hostB") == HEAD + above + below + tail
        crlf = "\ufeff" + text.replace("\n", "\r\n")
        assert editor.without_host(crlf, "hostB") == "\ufeff" + (HEAD + above + below + tail).replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("hosts", "host", "expected"),
    [
        ("{hostA: {address: 10.0.0.1}, hostB: {address: 10.0.0.2}}\n", "hostB", "{hostA: {address: 10.0.0.1}}\n"),
        ("{hostB: {address: 10.0.0.2}, hostA: {address: 10.0.0.1}}\n", "hostB", "{hostA: {address: 10.0.0.1}}\n"),
        (
            "{\n  hostA: {address: 10.0.0.1},  # first\n  hostB: {address: 10.0.0.2}\n}\n",
            "hostB",
            "{\n  hostA: {address: 10.0.0.1},  # first\n  \n}\n",
        ),
    ],
)
def test_host_is_taken_out_of_hosts_in_braces(hosts, host, expected):
    head = "version: 1\nheat: {source: hostA}\nproxy: {host: hostA}\nhosts: "

    assert editor.without_host(head + hosts, host) == head + expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [("hostX", "the inventory has no host hostX"), ("hostA", "the change would leave a wrong inventory")],
)
def test_host_that_cannot_be_taken_out_is_refused(host, expected):
    with pytest.raises(errors.BadInput, match=expected):
        editor.without_host(HEAD + LAYOUTS["one line"], host)
