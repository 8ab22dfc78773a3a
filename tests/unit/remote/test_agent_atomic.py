"""A file is replaced whole or not at all, and nothing is left beside it."""

import errno
import os
import stat

import pytest

from deployer.remote.agent import atomic


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("before", [None, "old"])
def test_replaced_file_has_the_new_content_and_the_mode_that_was_asked_for(tmp_path, before):
    path = tmp_path / "file"
    if before:
        path.write_text(before)
        path.chmod(0o644)

    atomic.replace(str(path), b"new", 0o640)

    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert names(tmp_path) == ["file"]


def test_owner_and_mode_are_set_before_the_first_byte_and_all_is_flushed_around_the_rename(tmp_path, monkeypatch):
    """The order in which a power failure or a curious user finds nothing half done."""
    path, order = tmp_path / "file", []
    for name in ("fchown", "fchmod", "fsync", "rename"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *given, name=name, real=real: (order.append(name), real(*given))[1])

    atomic.replace(str(path), b"new", 0o600, (os.geteuid(), os.getegid()))

    assert order == ["fchown", "fchmod", "fsync", "rename", "fsync"]


def test_symbolic_link_is_replaced_itself_and_its_target_stays(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)

    atomic.replace(str(link), b"new", 0o600)

    assert (target.read_text(), link.read_text(), link.is_symlink()) == ("old", "new", False)


@pytest.mark.parametrize("failing", ["fchmod", "fsync", "rename"])
def test_replace_that_fails_leaves_the_old_file_and_no_temporary_one(tmp_path, monkeypatch, failing):
    path = tmp_path / "file"
    path.write_text("old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, failing, full)

    with pytest.raises(OSError, match="No space"):
        atomic.replace(str(path), b"new", 0o600)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_leftovers_of_interrupted_runs_go_and_those_of_other_files_stay(tmp_path):
    mine = ["a.conf.heat-scaleout-new", "a.conf.4711.heat-scaleout-new"]
    others = ["a.conf.d.heat-scaleout-new", "aXconf.1.heat-scaleout-new", "b.heat-scaleout-new", "a.conf.1"]
    for name in [*mine, *others]:
        (tmp_path / name).write_text("half of a")

    atomic.replace(str(tmp_path / "a.conf"), b"new", 0o600)

    assert names(tmp_path) == sorted(["a.conf", *others])


def test_writer_whose_temporary_file_another_took_away_fails_and_mixes_nothing(tmp_path, monkeypatch):
    """Two at once: one wins whole, the other is told."""
    path = tmp_path / "file"
    real = os.rename

    def rename_after_another(source, target):
        monkeypatch.setattr(os, "rename", real)
        monkeypatch.setattr(os, "getpid", lambda: 1)
        atomic.replace(str(path), b"the other's", 0o600)
        real(source, target)

    monkeypatch.setattr(os, "rename", rename_after_another)

    with pytest.raises(FileNotFoundError):
        atomic.replace(str(path), b"mine", 0o600)
    assert path.read_bytes() == b"the other's"
    assert names(tmp_path) == ["file"]


def test_unknown_account_is_an_error_before_anything_is_written():
    with pytest.raises(KeyError, match="nobody-at-all"):
        atomic.ids_of("nobody-at-all", "root")
