"""Rows and tables whose lines stay whole: where a terminal is too narrow for a table, a row is a paragraph. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from deployer.cli import called_as

GAP = 2  # blanks between two columns


def grid(rows: Iterable[Sequence[Text | str]]) -> Table:
    """Rows of cells in columns without titles; what is too long for the last one goes on below its beginning."""
    table = Table.grid(padding=(0, GAP, 0, 0))
    for row in rows:
        table.add_row(*map(as_text, row))
    for column in table.columns:
        column.overflow = "fold"
    return table


def as_text(cell: Text | str) -> Text:
    """A cell as it is: rich would read a text in brackets as markup. The commands it names are this program's."""
    return cell if isinstance(cell, Text) else Text(called_as.spelled(cell))


@dataclass(frozen=True)
class Columns:
    """A table, given title -> cells; the first `keys` columns name a row."""

    cells: Mapping[str, Sequence[Text]]
    keys: int = 1

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._table() if self._width() <= options.max_width else self._paragraphs()

    def _width(self) -> int:
        widths = [max(cell_len(each) for each in (title, *map(str, cells))) for title, cells in self.cells.items()]
        return sum(widths) + GAP * (len(widths) - 1)

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
        for title in self.cells:
            table.add_column(Text(title), overflow="fold")
        for row in self._rows():
            table.add_row(*row)
        return table

    def _paragraphs(self) -> Table:
        """Each row by its names, then what else there is to say with its title."""
        titles = tuple(self.cells)[self.keys :]
        rows = []
        for row in self._rows():
            told = zip(titles, row[self.keys :], strict=True)
            facts = [Text.assemble(f"{title.lower()} ", cell) for title, cell in told if cell]
            rows.append((*row[: self.keys], Text("; ").join(facts)))
        return grid(rows)

    def _rows(self) -> list[tuple[Text, ...]]:
        return list(zip(*self.cells.values(), strict=True))
