"""Files written below a folder here, and a folder here read as if a host had it."""

import pytest
import sites

from deployer import errors
from deployer.desired import export
from deployer.model.state import Desired, digest_of


def written(folder, content):
    """The path of the one file of a site."""
    (path,) = export.write(Desired({"hostB": sites.a_state(sites.a_file(content=content))}, {}), folder).files
    return path


def test_every_file_is_written_below_its_host(tmp_path):
    states = {"hostB": sites.a_state(sites.a_file(content="b")), "hostC": sites.a_state(sites.a_file(content="c"))}

    written = export.write(Desired(states, {}), tmp_path / "out").files

    assert [path.relative_to(tmp_path / "out").as_posix() for path in written] == [
        "hostB/etc/heat/heat.conf",
        "hostC/etc/heat/heat.conf",
    ]
    assert [path.read_text() for path in written] == ["b", "c"]


def test_written_files_are_readable_by_their_owner_alone(tmp_path):
    path = written(tmp_path, "any")

    assert path.stat().st_mode & 0o777 == 0o600


def test_file_of_an_earlier_run_is_replaced_and_closed_to_others(tmp_path):
    path = written(tmp_path, "a longer text")
    path.chmod(0o644)

    written(tmp_path, "short")

    assert path.read_text() == "short"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("path", ["/etc/heat/../../../../evil", "../evil", "/..", "/", "", "/etc/\0"])
def test_path_that_leads_out_of_the_folder_is_refused_before_anything_is_written(tmp_path, path):
    files = [sites.a_file(content="fine"), sites.a_file(path=path)]

    with pytest.raises(errors.BadInput, match="no path of a file"):
        export.write(Desired({"hostB": sites.a_state(*files)}, {}), tmp_path / "out")

    assert list(tmp_path.iterdir()) == []


def test_who_has_an_earlier_file_open_reads_nothing_of_the_new_one(tmp_path):
    path = written(tmp_path, "old")

    with path.open() as stream:
        written(tmp_path, "new")
        assert stream.read() == "old"


def test_folder_is_read_as_the_hosts_own(tmp_path):
    (tmp_path / "environment.d").mkdir()
    (tmp_path / "environment.d" / "default.yaml").write_bytes(b"x")
    (tmp_path / "heat.conf").write_bytes(b"\xff")

    files = export.read(tmp_path, "/etc/heat").files

    assert {path: file.digest for path, file in files.items()} == {
        "/etc/heat/environment.d/default.yaml": digest_of(b"x"),
        "/etc/heat/heat.conf": digest_of(b"\xff"),
    }


def test_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(errors.BadInput, match="is not a folder"):
        export.read(tmp_path / "nothing", "/etc/heat")
