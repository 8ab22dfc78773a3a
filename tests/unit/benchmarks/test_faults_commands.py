"""Commands that are stopped before each request, killed there, or let go on to their end."""

import sites

from benchmarks.faults.commands import At, Stepped, ran
from benchmarks.testbed import Testbed


def a_bed(tmp_path, text):
    """An inventory without a lab."""
    path = tmp_path / "site.yaml"
    path.write_text(text)
    return Testbed(None, path, tmp_path)


def an_unreachable_site(tmp_path):
    """An inventory whose host is at a port of this machine where nobody listens."""
    host = "{address: 10.0.0.1, engines: 1, ssh: {address: 127.0.0.1}}"
    return a_bed(tmp_path, sites.an_inventory_text(more="ssh: {port: 1, known_hosts: none}", hostA=host))


def test_command_stops_before_its_request_and_at_its_end(tmp_path):
    command = Stepped(an_unreachable_site(tmp_path), "plan")

    stops = list(command.stops())

    assert stops == [At(1, "observe", "observe"), At(2, "end", "")]
    assert command.ended().code == 4


def test_command_that_is_killed_before_a_request_never_makes_it(tmp_path):
    command = Stepped(an_unreachable_site(tmp_path), "plan")

    seen = []
    for at in command.stops():
        seen.append(at)
        command.kill()

    assert (command.ended().code, [str(at) for at in seen]) == (-9, ["request 1: observe"])


def test_command_that_runs_to_its_end_tells_its_code_and_words(tmp_path):
    ended = ran(a_bed(tmp_path, "nonsense: true\n"), "plan")

    assert (ended.code, ended.json()) == (3, {})
    assert "`plan` ended with 3 after" in str(ended) and "site.yaml" in ended.err
