"""The generations of a site as an operator and a script see them."""

from deployer.cli.views import history_table
from deployer.model.run import Author, Run

AUTHOR = Author("alice@desk", "invoke add-engine hostB", "2026-11-21T00:00:00Z", "0.1.0", "/sites/some.yaml", "secret")
KNOWN = {1: (Run(1, AUTHOR, "done"), ("hostA", "hostB")), 12: (Run(12, AUTHOR), ("hostA",))}


def test_site_without_a_generation_says_so():
    assert history_table.text({}) == "Nothing was deployed so far."


def test_each_generation_is_a_line_and_one_that_has_not_ended_says_so():
    titles, first, second = history_table.text(KNOWN).splitlines()

    assert titles.split() == ["NUMBER", "WHEN", "WHO", "RESULT", "HOSTS", "COMMAND"]
    assert first.split(maxsplit=5) == [
        "1",
        "2026-11-21T00:00:00Z",
        "alice@desk",
        "done",
        "hostA,hostB",
        "invoke add-engine hostB",
    ]
    assert second.split()[:2] == ["12", "2026-11-21T00:00:00Z"] and " not ended " in second
    assert len({line.index("invoke") for line in (first, second)}) == 1


def test_json_has_every_generation_and_no_inventorys_text():
    told = history_table.json(KNOWN)

    assert [(each["number"], each["result"], each["hosts"]) for each in told["generations"]] == [
        (1, "done", ["hostA", "hostB"]),
        (12, None, ["hostA"]),
    ]
    assert told["generations"][0] == {
        "number": 1,
        "when": AUTHOR.at,
        "who": AUTHOR.who,
        "command": AUTHOR.command,
        "tool": "0.1.0",
        "inventory": "/sites/some.yaml",
        "result": "done",
        "hosts": ["hostA", "hostB"],
    }
    assert "secret" not in str(told)
