"""What a command wants of a site: an inventory as it was then, and who it is by."""

import pytest
import sites

from deployer import errors
from deployer.cli import session

PATH = sites.PATH


def now(**hosts):
    text = sites.an_inventory_text(**hosts)
    return sites.a_file_of(text)


def test_inventory_as_it_was_then_has_its_text_and_this_files_path():
    then = sites.an_inventory_text(hostB="{address: 10.0.0.2, engines: 7}")

    file = session.file_of_generation(now(), then)

    assert (file.path, file.text) == (PATH, then)
    assert len([each for each in file.inventory.instances_of("hostB") if each.service == "engine"]) == 7


@pytest.mark.parametrize(
    ("then", "today", "words"),
    [
        ({"hostD": "{address: 10.0.0.4}"}, {}, "hostD was in it then"),
        ({}, {"hostD": "{address: 10.0.0.4}"}, "hostD was not in it then"),
        (
            {"hostD": "{address: 10.0.0.4}"},
            {"hostE": "{address: 10.0.0.5}"},
            "hostD was in it then; hostE was not in it",
        ),
    ],
)
def test_inventory_of_other_hosts_is_refused_with_their_names(then, today, words):
    with pytest.raises(errors.BadInput, match=f"{PATH}: {words}") as caught:
        session.file_of_generation(now(**today), sites.an_inventory_text(**then))

    assert "address alone" in caught.value.hint


def test_inventory_of_then_that_is_none_any_more_is_refused():
    with pytest.raises(errors.BadInventory):
        session.file_of_generation(now(), "version: 99\n")


def test_author_has_the_text_that_will_be_kept_and_a_time_of_utc():
    author = session.author(now())

    assert (author.inventory, author.text) == (str(PATH), now().text)
    assert "@" in author.who and author.at.endswith("Z")
