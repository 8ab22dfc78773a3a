"""Events as lines, one below the other: for streams that are no terminal, and for terminals that cannot replace any."""

from deployer.cli.output import event_view
from deployer.cli.views.screen import Screen
from deployer.model.events import Event, Level


class PlainLines:
    """Shows the events of a level on a screen."""

    def __init__(self, screen: Screen, level: Level) -> None:
        self._screen = screen
        self._level = level

    def handle(self, event: Event) -> None:
        """Show an event, if it matters enough."""
        shown = event_view.line(event) if event_view.is_shown(event, self._level) else None
        if shown is not None:
            self._screen.print(shown)

    def close(self) -> None:
        """Nothing is left to take away."""
