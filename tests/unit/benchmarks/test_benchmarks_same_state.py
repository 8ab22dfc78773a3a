"""What the other tools are given is what the deploy left."""

import pytest

from benchmarks import same_state

A_FILE = {"owner": "root", "group": "heat", "mode": "0640"}


def a_file(path, **access):
    return {"path": path, "source": f"/out/hostB{path}", **A_FILE, **access}


def test_folders_stand_for_all_files_below_them():
    files = [a_file("/etc/heat-scaleout/api.ini"), a_file("/etc/heat/heat.conf"), a_file("/etc/heat/templates/a.yaml")]

    assert list(same_state.folders(files)) == [
        {"path": "/etc/heat-scaleout", "source": "/out/hostB/etc/heat-scaleout", **A_FILE},
        {"path": "/etc/heat", "source": "/out/hostB/etc/heat", **A_FILE},
    ]


def test_folder_with_files_of_two_modes_is_refused():
    files = [a_file("/etc/heat/heat.conf"), a_file("/etc/heat/policy.yaml", mode="0644")]

    with pytest.raises(ValueError, match="several owners or modes"):
        list(same_state.folders(files))
