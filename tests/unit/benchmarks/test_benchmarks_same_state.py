"""What the other tools are given is what the deploy left."""

from pathlib import Path

from benchmarks import same_state

AN_ACCESS = {"owner": "root", "group": "heat", "mode": "0640"}


def a_file(path, out="/out/hostB", **access):
    return {"path": path, "source": f"{out}{path}", **AN_ACCESS, **access}


def test_folders_stand_for_all_files_below_them():
    files = [a_file("/etc/heat-scaleout/api.ini"), a_file("/etc/heat/heat.conf"), a_file("/etc/heat/templates/a.yaml")]

    assert list(same_state.folders(files)) == [
        {"path": "/etc/heat", "source": "/out/hostB-root-heat-0640/etc/heat", **AN_ACCESS},
        {"path": "/etc/heat-scaleout", "source": "/out/hostB-root-heat-0640/etc/heat-scaleout", **AN_ACCESS},
    ]


def test_folder_with_files_of_two_modes_is_two_and_each_file_is_in_its_own(tmp_path):
    out = tmp_path / "hostB"
    files = [a_file("/etc/heat/heat.conf", out), a_file("/etc/heat/new/policy.yaml", out, mode="0644")]
    for file in files:
        Path(file["source"]).parent.mkdir(parents=True, exist_ok=True)
        Path(file["source"]).write_text(file["path"])
    same_state.link(files)
    same_state.link(files)  # as for another number of hosts

    copied = {
        (f"{folder['path']}/{path.relative_to(folder['source'])}", folder["mode"]): path.read_text()
        for folder in same_state.folders(files)
        for path in Path(folder["source"]).rglob("*")
        if path.is_file()
    }

    assert copied == {(file["path"], file["mode"]): file["path"] for file in files}
