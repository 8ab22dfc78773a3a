"""Colours of hosts: where the terminal shows them and nobody minds."""

import io

import pytest

from deployer.cli.views import host_colors


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "environment"),
    [
        (io.StringIO(), {}),
        (Terminal(), {"NO_COLOR": "1"}),
        (Terminal(), {"TERM": "dumb"}),
    ],
    ids=["no terminal", "NO_COLOR", "dumb"],
)
def test_text_stays_plain_where_colours_are_not_shown_or_not_liked(stream, environment):
    assert not host_colors.are_shown(stream, environment)
    assert host_colors.paint_for(["hostA"], False)("hostA", "text") == "text"


def test_terminal_gets_a_colour_for_each_host_and_the_same_one_each_time():
    assert host_colors.are_shown(Terminal(), {"TERM": "xterm"})
    paint = host_colors.paint_for(["hostA", "hostB"], True)

    assert paint("hostA", "text") == "\x1b[36mtext\x1b[0m" == paint("hostA", "text")
    assert paint("hostB", "text") == "\x1b[32mtext\x1b[0m"


def test_more_hosts_than_colours_begin_again_with_the_first():
    names = [f"host{number}" for number in range(len(host_colors.COLOURS) + 1)]
    paint = host_colors.paint_for(names, True)

    assert paint(names[0], "text") == paint(names[-1], "text")
