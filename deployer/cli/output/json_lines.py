"""Events as JSON Lines on standard output, for CI systems; the last one has the result."""

from collections.abc import Callable

from deployer.cli.output import event_json
from deployer.cli.views import console
from deployer.cli.views.screen import Screen
from deployer.model.events import CommandFinished, Event, Level


class JsonLines:
    """Writes the events of a level, each as one line of JSON. `now` returns the time, UTC in ISO 8601."""

    def __init__(self, screen: Screen, level: Level, now: Callable[[], str]) -> None:
        self._screen = screen
        self._level = level
        self._now = now

    def handle(self, event: Event) -> None:
        """Write an event, if it matters enough."""
        if event.level >= self._level or isinstance(event, CommandFinished):
            self._screen.write(console.as_json(event_json.of(event, self._now()), indent=None))

    def close(self) -> None:
        """Every line is written already."""
