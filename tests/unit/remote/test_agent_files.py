"""A host's file is replaced whole or not at all, and what was there before comes back."""

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import sites
from steps_here import remove, write

from deployer.remote.agent import files, ledger


@pytest.fixture
def book(tmp_path):
    return str(tmp_path / "state" / "ledger.json")


def read(book):
    return json.loads(Path(book).read_text())


def access(path):
    return stat.S_IMODE(path.stat().st_mode)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_write_of_a_new_file_gives_it_content_and_mode(tmp_path, book):
    path = tmp_path / "file"

    files.write(write(path, mode=0o604), book)

    assert (path.read_text(), access(path)) == ("text", 0o604)


def test_write_over_a_file_leaves_the_old_one_whole_for_those_who_have_it_open(tmp_path, book):
    path = tmp_path / "file"
    path.write_text("old content")
    with path.open() as reading:
        files.write(write(path), book)
        assert reading.read() == "old content"
    assert path.read_text() == "text"


def test_write_takes_the_access_wanted_and_not_that_of_the_old_file(tmp_path, book):
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o777)

    files.write(write(path, mode=0o600), book)

    assert access(path) == 0o600


def test_write_leaves_no_other_file_beside_it(tmp_path, book):
    files.write(write(tmp_path / "etc" / "file"), book)

    assert names(tmp_path / "etc") == ["file"]


def test_write_keeps_the_original_with_its_access_once(tmp_path, book):
    path, kept = tmp_path / "file", tmp_path / "file.before"
    path.write_text("original")
    path.chmod(0o604)

    files.write(write(path, "first"), book)
    files.write(write(path, "second"), book)

    assert (kept.read_text(), access(kept)) == ("original", 0o604)
    assert path.read_text() == "second"


def test_original_is_never_readable_by_others_while_it_is_copied(tmp_path, book, monkeypatch):
    path, seen = tmp_path / "file", []
    path.write_text("secret")
    path.chmod(0o640)
    copy = files.shutil.copyfileobj
    monkeypatch.setattr(
        files.shutil,
        "copyfileobj",
        lambda source, target: (
            copy(source, target),
            seen.append(stat.S_IMODE(files.os.fstat(target.fileno()).st_mode)),
        ),
    )

    files.write(write(path), book)

    assert (seen, access(tmp_path / "file.before")) == ([0o600], 0o640)


def test_write_notes_the_file_and_its_original_in_a_ledger_for_our_eyes_alone(tmp_path, book):
    (tmp_path / "old").write_text("original")

    files.write(write(tmp_path / "old"), book)
    files.write(write(tmp_path / "new"), book)

    assert read(book)["files"] == {
        str(tmp_path / "old"): {"original": str(tmp_path / "old.before")},
        str(tmp_path / "new"): {"original": None},
    }
    assert access(Path(book)) == 0o600


def test_write_makes_the_folders_on_the_way_as_readable_as_the_file(tmp_path, book):
    files.write(write(tmp_path / "a" / "b" / "file", mode=0o640), book)

    assert access(tmp_path / "a" / "b") == 0o750
    assert read(book)["folders"] == [str(tmp_path / "a"), str(tmp_path / "a" / "b")]


def test_write_over_what_an_interrupted_run_left_succeeds(tmp_path, book):
    left = tmp_path / "etc" / ("file" + ".heat-scaleout-new")
    left.parent.mkdir()
    left.write_text("half of a")

    files.write(write(tmp_path / "etc" / "file"), book)

    assert names(tmp_path / "etc") == ["file"]


def test_write_for_an_unknown_user_leaves_nothing(tmp_path, book):
    with pytest.raises(KeyError, match="nobody-at-all"):
        files.write(write(tmp_path / "file", owner="nobody-at-all"), book)

    assert not (tmp_path / "file").exists()
    assert not [name for name in names(tmp_path) if name.startswith("file")]


def test_remove_of_a_file_of_ours_takes_it_and_the_folders_we_made(tmp_path, book):
    path = tmp_path / "a" / "b" / "file"
    files.write(write(path), book)

    files.remove(remove(path), book)

    assert not (tmp_path / "a").exists()
    assert read(book) == {"files": {}, "folders": [], "stopped": []}


def test_remove_keeps_a_folder_that_has_something_else_in_it(tmp_path, book):
    files.write(write(tmp_path / "a" / "file"), book)
    (tmp_path / "a" / "notes.txt").write_text("the operator's")

    files.remove(remove(tmp_path / "a" / "file"), book)

    assert names(tmp_path / "a") == ["notes.txt"]


def test_remove_keeps_a_folder_that_was_there_before(tmp_path, book):
    (tmp_path / "a").mkdir()
    files.write(write(tmp_path / "a" / "file"), book)

    files.remove(remove(tmp_path / "a" / "file"), book)

    assert names(tmp_path / "a") == []


def test_remove_brings_the_original_back_with_its_access(tmp_path, book):
    path = tmp_path / "etc" / "file"
    path.parent.mkdir()
    path.write_text("original")
    path.chmod(0o604)
    files.write(write(path), book)

    files.remove(remove(path), book)

    assert (path.read_text(), access(path), names(path.parent)) == ("original", 0o604, ["file"])


@pytest.mark.parametrize(
    "target", ["../shared/file", "/nowhere/file", "file"], ids=["relative", "dangling", "circular"]
)
def test_remove_brings_a_symbolic_link_back_as_it_was(tmp_path, book, target):
    path, shared = tmp_path / "etc" / "file", tmp_path / "shared" / "file"
    for folder in (path.parent, shared.parent):
        folder.mkdir()
    shared.write_text("original")
    path.symlink_to(target)
    files.write(write(path, "first"), book)
    files.write(write(path, "second"), book)
    ours = (path.is_symlink(), path.read_text())

    files.remove(remove(path), book)

    assert ours == (False, "second")
    assert (str(path.readlink()), shared.read_text(), names(path.parent)) == (target, "original", ["file"])


def test_link_that_an_interrupted_run_has_kept_is_kept_again(tmp_path, book):
    path = tmp_path / "file"
    path.symlink_to("/nowhere")
    (tmp_path / "file.before").symlink_to("/nowhere")  # and died before it was written down

    files.write(write(path), book)
    files.remove(remove(path), book)

    assert (str(path.readlink()), names(tmp_path)) == ("/nowhere", ["file", "state"])


def test_write_after_an_interrupted_remove_keeps_a_dangling_link_again(tmp_path, book):
    path = tmp_path / "file"
    path.symlink_to("/nowhere")
    files.write(write(path), book)
    before = read(book)
    files.remove(remove(path), book)
    ledger.write(book, before)  # as if the host had died before the ledger was written

    files.write(write(path), book)
    files.remove(remove(path), book)

    assert str(path.readlink()) == "/nowhere"


def test_remove_takes_a_link_that_stands_where_our_file_was(tmp_path, book):
    path = tmp_path / "file"
    files.write(write(path), book)
    path.unlink()
    path.symlink_to("/nowhere")

    files.remove(remove(path), book)

    assert not path.is_symlink()


def test_remove_of_what_is_gone_already_is_done(tmp_path, book):
    path = tmp_path / "file"
    files.write(write(path), book)
    path.unlink()

    files.remove(remove(path), book)

    assert read(book)["files"] == {}


def test_remove_run_again_after_an_interruption_keeps_the_original(tmp_path, book):
    path = tmp_path / "file"
    path.write_text("original")
    files.write(write(path), book)
    before = read(book)
    files.remove(remove(path), book)
    ledger.write(book, before)  # as if the host had died before the ledger was written

    files.remove(remove(path), book)

    assert path.read_text() == "original"


def test_write_after_such_an_interruption_keeps_the_original_again(tmp_path, book):
    path = tmp_path / "file"
    path.write_text("original")
    files.write(write(path), book)
    before = read(book)
    files.remove(remove(path), book)
    ledger.write(book, before)

    files.write(write(path), book)
    files.remove(remove(path), book)

    assert path.read_text() == "original"


KILLED = textwrap.dedent("""\
    import json, os, signal, sys
    from deployer.remote.agent import files

    left = int(sys.argv[1])

    def count_down(event, arguments):
        global left
        if event in ("os.rename", "os.chown", "os.chmod", "os.mkdir", "shutil.copystat", "open", "os.remove"):
            if event == "open" and not str(arguments[0]).startswith(sys.argv[2]):
                return
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    step = json.load(sys.stdin)
    sys.addaudithook(count_down)
    files.write(step, sys.argv[2] + "/state/ledger.json")
""")


def killed_at(event, folder, step):
    """Write in a process that dies at its n-th change of the disk; whether it died."""
    ran = subprocess.run(
        [sys.executable, "-S", "-c", KILLED, str(event), str(folder)],
        input=json.dumps(step),
        text=True,
        timeout=20,
        env={"PYTHONPATH": str(sites.ROOT)},
    )
    assert ran.returncode in (0, -signal.SIGKILL)
    return ran.returncode != 0


def test_write_killed_at_any_point_leaves_a_whole_file_and_can_be_run_again(tmp_path):
    deaths = 0
    while True:
        folder = tmp_path / str(deaths)
        folder.mkdir()
        path = folder / "file"
        path.write_text("original")
        died = killed_at(deaths + 1, folder, write(path, "new"))
        assert path.read_text() in ("original", "new")
        files.write(write(path, "new"), str(folder / "state" / "ledger.json"))
        assert path.read_text() == "new"
        assert (folder / "file.before").read_text() == "original"
        assert names(folder) == ["file", "file.before", "state"]
        if not died:
            break
        deaths += 1
    assert deaths >= 5


def test_ledger_that_is_not_there_is_empty(book):
    assert ledger.read(book) == ledger.read("") == {"files": {}, "folders": [], "stopped": []}


def test_ledger_survives_being_written_and_read(book):
    ledger.write(book, {"files": {"/x": {"original": None}}, "folders": ["/y"], "stopped": [{"unit": "z"}]})

    assert ledger.read(book)["stopped"] == [{"unit": "z"}]


@pytest.mark.parametrize(
    ("group", "mode", "opened"),
    [
        ("root", 0o600, 0o700),
        ("root", 0o640, 0o750),
        ("nogroup", 0o640, 0o755),  # whom the folder's group does not let in
        ("nogroup", 0o644, 0o755),
    ],
)
@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other groups")
def test_folder_of_ours_is_opened_for_a_file_that_more_may_read_than_its_first(tmp_path, book, group, mode, opened):
    """A proxy's host, whose folder has a file for root alone, gets an API: its user must read its own file there."""
    files.write(write(tmp_path / "ours" / "apis-proxy.conf", mode=0o600), book)

    files.write({**write(tmp_path / "ours" / "api.config", mode=mode), "group": group}, book)

    assert access(tmp_path / "ours") == opened


def test_folder_that_was_there_before_us_keeps_its_access(tmp_path, book):
    (tmp_path / "theirs").mkdir(mode=0o700)

    files.write(write(tmp_path / "theirs" / "file", mode=0o644), book)

    assert access(tmp_path / "theirs") == 0o700
