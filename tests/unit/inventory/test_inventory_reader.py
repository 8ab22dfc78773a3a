"""Where an inventory is found, and what is said of a file that cannot be read."""

import os
import socket
from pathlib import Path

import pytest
from inventory_texts import INVENTORIES, a_text, problems

from deployer import errors
from deployer.inventory import location, reader


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A checkout with two inventories, one more beside it, and the work done in a folder below."""
    (tmp_path / "inventories").mkdir()
    (tmp_path / "below").mkdir()
    for name in ("inventories/lab.yaml", "inventories/site.yaml", "other.yaml", "below/near.yaml"):
        (tmp_path / name).write_text(a_text())
    monkeypatch.chdir(tmp_path / "below")
    return tmp_path


@pytest.mark.parametrize(
    ("argument", "environ", "configured", "expected"),
    [
        ("site", {}, None, "inventories/site.yaml"),
        ("site.yaml", {}, None, "inventories/site.yaml"),
        ("other.yaml", {}, None, "other.yaml"),
        ("inventories/site.yaml", {}, None, "inventories/site.yaml"),
        (None, {"HEAT_SCALEOUT_INVENTORY": "site"}, "lab", "inventories/site.yaml"),
        (None, {"HEAT_SCALEOUT_INVENTORY": ""}, "site", "inventories/site.yaml"),
        (None, {}, "site", "inventories/site.yaml"),
        (None, {}, None, "inventories/lab.yaml"),
        ("lab", {"HEAT_SCALEOUT_INVENTORY": "site"}, "site", "inventories/lab.yaml"),
    ],
)
def test_inventory_is_located_by_argument_then_environment_then_setting(
    folder, argument, environ, configured, expected
):
    assert location.locate(argument, environ, folder, configured) == folder / expected


def test_path_from_where_the_operator_stands_comes_first(folder):
    assert location.locate("near.yaml", {}, folder) == Path("near.yaml")
    assert location.locate(str(folder / "other.yaml"), {}, folder) == folder / "other.yaml"


@pytest.mark.parametrize("name", ["nothing", "/", "a\0b", "x" * 5000, "../.."])
def test_name_that_leads_nowhere_is_refused_with_the_known_names(folder, name):
    with pytest.raises(errors.BadInventory) as caught:
        reader.read(location.locate(name, {}, folder))

    assert len(str(caught.value)) < 6000
    assert "\0" not in str(caught.value)


def test_missing_file_is_refused_with_the_names_in_the_nearest_inventories(folder):
    with pytest.raises(errors.BadInventory, match="nothing: there is no such file") as caught:
        reader.read(location.locate("nothing", {}, folder))

    assert caught.value.hint == f"In {folder}/inventories there are: lab, site."
    assert caught.value.exit_code == 3


def test_what_is_no_regular_file_is_refused_and_not_waited_for(folder):
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))
    for path in (folder / "pipe", folder / "socket", folder / "below", Path("/dev/zero")):
        with pytest.raises(errors.BadInventory, match=f"^{path} is not a regular file$"):
            reader.read(path)


def test_file_that_is_too_large_is_refused(folder):
    (folder / "large.yaml").write_bytes(b" " * (reader.LARGEST + 1))

    with pytest.raises(errors.BadInventory, match="larger than 1024 KiB"):
        reader.read(folder / "large.yaml")


@pytest.mark.parametrize("path", INVENTORIES, ids=lambda path: path.stem)
def test_inventory_of_the_checkout_is_right(path):
    assert reader.read(path).site == path.stem


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_text_with_any_line_end_and_byte_order_mark_is_read(line_end, mark):
    assert problems((mark + a_text().replace("\n", line_end)).encode()) == []
    assert problems(mark + a_text().replace("\n", line_end)) == []


def test_comments_in_any_script_are_read():
    assert problems(a_text(more="# Größe, размер, 大きさ, 👩\u200d💻\n")) == []
