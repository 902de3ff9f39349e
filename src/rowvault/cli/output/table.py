"""Lists: thin tables on a terminal, aligned columns in a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rowvault.cli.output import stdout
from rowvault.cli.output.zone import shown_zone

_FOLDED_WIDTH = 12
_GAP = 3


class Heading(NamedTuple):
    """One column of a list. `--help` loads this, but not what makes a Struct."""

    title: str
    numeric: bool = False
    """Set flush right."""
    foldable: bool = False
    """May go on in the next line where the terminal is narrow; ids and figures never do."""
    timed: bool = False
    """Holds times: the title gets the name of their zone."""


def write_table(headings: Sequence[Heading], rows: Sequence[Sequence[str]]) -> None:
    """Writes a list with its headings; cells are printable text. Raises OutputClosed."""
    zone = shown_zone().name
    headings = [
        one._replace(title=f"{one.title} ({zone})") if one.timed else one for one in headings
    ]
    if not (stdout.is_terminal() and _write_rich(headings, rows)):
        _write_plain(headings, rows)


def _write_plain(headings: Sequence[Heading], rows: Sequence[Sequence[str]]) -> None:
    titles = [heading.title for heading in headings]
    widths = [max(map(len, cells)) for cells in zip(titles, *rows, strict=True)]
    for row in [titles, *rows]:
        cells = (
            cell.rjust(width) if heading.numeric else cell.ljust(width)
            for cell, width, heading in zip(row, widths, headings, strict=True)
        )
        stdout.write_line("  ".join(cells).rstrip())


def _write_rich(headings: Sequence[Heading], rows: Sequence[Sequence[str]]) -> bool:
    """False, and nothing is written, where the terminal is too narrow for a table."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        table.add_column(
            heading.title,
            justify="right" if heading.numeric else "left",
            overflow="fold",
            no_wrap=not heading.foldable,
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console()
    if _least_width(headings, rows) > console.width:
        return False
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        stdout.write_line(line.rstrip())
    return True


def _least_width(headings: Sequence[Heading], rows: Sequence[Sequence[str]]) -> int:
    """Of a table whose foldable columns are as narrow as they may be."""
    from rich.cells import cell_len

    widths = []
    for heading, *cells in zip(headings, *rows, strict=True):
        width = max(map(cell_len, [heading.title, *cells]))
        widths.append(min(width, _FOLDED_WIDTH) if heading.foldable else width)
    return sum(widths) + _GAP * (len(widths) - 1)


def write_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Writes `name   value` lines, the values aligned; empty values are left out."""
    shown = [(name, value) for name, value in facts if value]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        stdout.write_line(f"{name.ljust(width)}  {value}")
