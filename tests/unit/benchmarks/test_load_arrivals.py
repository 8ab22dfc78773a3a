"""Every kind of server's own line counts once, and no other line does."""

import pytest

from benchmarks.load import arrivals
from benchmarks.load.arrivals import Book
from benchmarks.load.samples import Sample

POST = "load-45e77d-0000002"
API, AT = "Nov 21 04:09:01 hostB heat-scaleout-api@8004.service[310]:", "[21/Nov/2026 04:09:01]"
ASKED = f"POST /v1/{POST}/stacks"
HEAT_API = f'{API} 2026-11-21 04:09:01.1 310 INFO eventlet [-] 198.18.3.1 - - {AT} "{ASKED} HTTP/1.1" 401 355 0.1'
UWSGI = f"{API} [pid: 30|app: 0|req: 5/9] 198.18.3.1 () {{34 vars}} {AT} {ASKED} => generated 114 bytes in 2 msecs"
HAPROXY = (
    "Nov 21 04:09:01 hostA heat-scaleout-proxy.service[77]: 198.18.3.1:4242 [21/Nov/2026:04:09:01.1] rest_api "
    f'rest_api_proxy/hostB-8004 0/0/0/2/2 401 331 - - ---- 1/1/0/0/0 0/0 "{ASKED} HTTP/1.1"'
)
HEATS_WORDS = f"{API} INFO heat.common.wsgi [-] Processing request: {ASKED}"
SUPPRESSED = "Nov 21 04:09:01 hostB systemd-journald.service[30]: Suppressed 40 messages from heat-api.service"


def a_book(*lines):
    book = Book("45e77d")
    for line in lines:
        book.add(line)
    return book


def posted(number, status=401):
    return Sample(number, 0.0, 0.0, 0.1, status)


@pytest.mark.parametrize("line", [HEAT_API, UWSGI], ids=["heat-api", "uwsgi"])
def test_line_of_an_api_that_answered_counts_once(line):
    book = a_book(line, HEATS_WORDS)

    assert book.apis == {POST: 1} and not book.proxy


def test_line_of_the_proxy_counts_apart_and_is_kept():
    book = a_book(HAPROXY)

    assert book.proxy == {POST: 1} and not book.apis
    assert "hostB-8004" in book.lines[POST]


def test_lines_of_another_run_count_as_nothing():
    assert not a_book(HEAT_API.replace("45e77d", "45e77e")).apis


def test_lines_that_the_journal_left_out_are_told():
    assert a_book(SUPPRESSED).suppressed == [SUPPRESSED]


def test_post_in_two_logs_is_told_as_twice_and_one_in_none_as_lost():
    again = HEAT_API.replace("hostB", "hostC")
    other = HEAT_API.replace("0000002", "0000003")

    arrived = arrivals.judged(a_book(HEAT_API, again, other), [posted(2), posted(3), posted(6), posted(7, status=0)])

    assert (arrived.posts, arrived.once) == (4, 1)
    assert arrived.twice == (POST,) and arrived.lost == ("load-45e77d-0000006",)


def test_post_that_failed_for_the_client_but_arrived_is_told():
    arrived = arrivals.judged(a_book(HEAT_API), [posted(2, status=0)])

    assert arrived.failed_but_arrived == (POST,)
