"""Who is asked for new lines, when a lost host is tried again, and what is said of it."""

from deployer import errors
from deployer.logs import follow
from deployer.logs.follow import Following
from deployer.logs.journals import Logs, Position

HOSTS = ("hostA", "hostB")
HERE = Position("s=1", "@0", ())


def logs(*answered, lost=(), cut=()):
    return Logs(
        (),
        dict.fromkeys(answered, HERE),
        {host: errors.HostUnreachable(host, "connection refused") for host in lost},
        dict.fromkeys(cut, "lines"),
        {},
    )


def test_hosts_that_answer_are_asked_each_time():
    following = follow.advanced(Following(), logs(*HOSTS), 100.0)

    assert follow.due(following, HOSTS, 100.1) == HOSTS
    assert following.positions == dict.fromkeys(HOSTS, HERE)


def test_lost_host_is_tried_again_later_and_later_while_the_others_are_asked_each_time():
    following, now, waits = Following(), 0.0, []
    for _ in range(6):
        following = follow.advanced(following, logs("hostA", lost=["hostB"]), now)
        assert follow.due(following, HOSTS, now + 0.1) == ("hostA",)
        waits.append(following.lost["hostB"].retry_at - now)
        now = following.lost["hostB"].retry_at
        assert follow.due(following, HOSTS, now) == HOSTS

    assert waits == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]


def test_host_that_was_not_asked_stays_lost_and_keeps_its_position():
    following = follow.advanced(Following(), logs(*HOSTS), 0.0)
    following = follow.advanced(following, logs("hostA", lost=["hostB"]), 1.0)

    later = follow.advanced(following, logs("hostA"), 2.0)

    assert (later.lost, later.positions["hostB"]) == (following.lost, HERE)


def test_host_that_answers_again_is_asked_each_time_and_is_lost_as_at_first_the_next_time():
    following = follow.advanced(Following(), logs("hostA", lost=["hostB"]), 0.0)
    following = follow.advanced(following, logs("hostA", lost=["hostB"]), 5.0)

    back = follow.advanced(following, logs(*HOSTS), 15.0)

    assert follow.due(back, HOSTS, 15.0) == HOSTS
    assert follow.advanced(back, logs(lost=["hostB"]), 16.0).lost["hostB"].retry_at == 21.0


def test_lost_host_is_named_once_and_again_when_it_is_back():
    said = []
    following = Following()
    for answer in (logs("hostA", lost=["hostB"]), logs("hostA", lost=["hostB"]), logs("hostA"), logs(*HOSTS)):
        said.append(follow.messages(following, answer))
        following = follow.advanced(following, answer, 0.0)

    assert said == [
        ("error: hostB: connection refused; it is tried again",),
        (),
        (),
        ("note: hostB answers again",),
    ]


def test_lines_left_out_at_the_beginning_are_not_asked_for_but_those_of_a_later_time_are():
    first = logs(*HOSTS, cut=["hostA"])

    assert not follow.has_more(Following(), first)
    assert follow.has_more(follow.advanced(Following(), first, 0.0), first)
