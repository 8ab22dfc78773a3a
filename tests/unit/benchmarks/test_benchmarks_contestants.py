"""Another tool's run counts only when it says that nothing was to be changed."""

from benchmarks import contestants

FINE = "hostA : ok=2    changed=0    unreachable=0    failed=0    skipped=0\n"


def test_recap_with_all_hosts_unchanged_is_unchanged():
    assert contestants.recap_is_unchanged(FINE * 3, 3)


def test_recap_with_a_changed_host_is_not_unchanged():
    assert not contestants.recap_is_unchanged(FINE * 2 + FINE.replace("changed=0", "changed=1"), 3)


def test_recap_that_lacks_a_host_is_not_unchanged():
    assert not contestants.recap_is_unchanged(FINE * 2, 3)


def test_recap_of_hosts_with_nothing_to_do_at_all_is_not_unchanged():
    assert not contestants.recap_is_unchanged(FINE.replace("ok=2", "ok=0") * 3, 3)


def test_total_without_changes_is_unchanged():
    assert contestants.total_is_unchanged("    Grand total       42      -         -       42          ", 3)


def test_total_with_changes_or_errors_is_not_unchanged():
    assert not contestants.total_is_unchanged("    Grand total       42      2         -       40          ", 3)
    assert not contestants.total_is_unchanged("    Grand total       42      -         1       41          ", 3)
    assert not contestants.total_is_unchanged("no total at all", 3)
