"""What every test may use: golden files, compared or written again.

After a change of a template that is meant, run `pytest tests/unit/test_golden.py --regenerate` and read the diff of
tests/golden before it is committed.
"""

from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="run lab tests marked `on` on every kind of Heat")
    parser.addoption("--regenerate", action="store_true", help="write tests/golden again instead of comparing with it")
    parser.addoption("--walk-steps", type=int, default=100, help="how far tests/unit/test_walk.py walks")


@pytest.fixture
def golden(request):
    """Compare a text with the golden file of that name below tests/golden."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--regenerate"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        assert text == path.read_text(), f"tests/golden/{name} has another text; --regenerate writes it again"

    return compare
