"""Lines of the agent on stderr, told apart from what else stands there."""

import pytest

from deployer.remote.step_lines import StepLines


@pytest.fixture
def told():
    return []


@pytest.fixture
def lines(told):
    return StepLines(lambda *step: told.append(step))


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_lines_are_found_however_the_stream_is_cut(lines, told, size):
    stream = b"motd\nheat-scaleout-step 1 0.250 done\nnoise\nheat-scaleout-step 2 12.000 failed\r\nlast"
    for start in range(0, len(stream), size):
        lines.feed(stream[start : start + size])

    assert told == [(1, 0.25, "done"), (2, 12.0, "failed")]
    assert lines.talk() == "motd\nnoise\nlast"


@pytest.mark.parametrize(
    "line",
    [
        b"heat-scaleout-step x 0.250 done",
        b"heat-scaleout-step 1 nan done",
        b"heat-scaleout-step 1 0.250 done and more",
        b" heat-scaleout-step 1 0.250 done",
        b"heat-scaleout-step 99999999999 0.250 done",
    ],
)
def test_line_that_only_looks_like_one_is_talk(lines, told, line):
    lines.feed(line + b"\n")

    assert (told, lines.talk()) == ([], line.decode() + "\n")


def test_talk_without_end_is_kept_to_its_last_part(lines):
    for _ in range(5):
        lines.feed(b"x" * 1024 * 1024)
    lines.feed(b"y\n")

    assert len(lines.talk()) == 1024 * 1024
    assert lines.talk().endswith("xy\n")
