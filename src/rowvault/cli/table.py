"""Lists: thin tables on a terminal, aligned columns in a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rowvault.cli import output


@dataclass(frozen=True, slots=True)
class Heading:
    """One column of a list."""

    title: str
    numeric: bool = False
    """Set flush right."""


def write_table(headings: Sequence[Heading], rows: Sequence[Sequence[str]]) -> None:
    """Writes a list with its headings; cells are printable text. Raises OutputClosed."""
    if output.is_terminal():
        _write_rich(headings, rows)
    else:
        _write_plain(headings, rows)


def _write_plain(headings: Sequence[Heading], rows: Sequence[Sequence[str]]) -> None:
    titles = [heading.title for heading in headings]
    widths = [max(map(len, cells)) for cells in zip(titles, *rows, strict=True)]
    for row in [titles, *rows]:
        cells = (
            cell.rjust(width) if heading.numeric else cell.ljust(width)
            for cell, width, heading in zip(row, widths, headings, strict=True)
        )
        output.write_line("  ".join(cells).rstrip())


def _write_rich(headings: Sequence[Heading], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        table.add_column(
            heading.title, justify="right" if heading.numeric else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console()
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        output.write_line(line.rstrip())


def write_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Writes `name   value` lines, the values aligned; empty values are left out."""
    shown = [(name, value) for name, value in facts if value]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        output.write_line(f"{name.ljust(width)}  {value}")
