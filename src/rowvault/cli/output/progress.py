"""What a person sees while an engine works: bars on a terminal, warnings alone in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from rowvault.cli.output.formatting import format_bytes, format_count, printable, printable_lines
from rowvault.cli.settings import Settings
from rowvault.core.monitor import Monitor

if TYPE_CHECKING:
    from rich.progress import Progress


@contextmanager
def monitor(settings: Settings, bars: bool = True) -> Iterator[Monitor]:
    """The monitor that suits the options and the terminal; without `bars` no live line."""
    if settings.verbosity:
        yield LineMonitor(verbose=True)
    elif settings.quiet or not bars or not sys.stderr.isatty():
        yield LineMonitor(verbose=False)
    else:
        live = BarMonitor()
        try:
            yield live
        finally:
            live.close()


class LineMonitor:
    """Warnings, and when verbose each phase and item, one line each on standard error."""

    def __init__(self, verbose: bool) -> None:
        self._verbose = verbose
        self._told: set[str] = set()

    def phase(self, name: str, total_rows: int | None = None) -> None:
        """A line when verbose."""
        if self._verbose:
            rows = f" (about {format_count(total_rows)} rows)" if total_rows else ""
            click.echo(f"{printable(name)}{rows}", err=True)

    def advance(self, rows: int, raw_bytes: int) -> None:
        """Nothing to show."""

    def item(self, label: str) -> None:
        """A line when verbose."""
        if self._verbose:
            click.echo(f"  {printable(label)}", err=True)

    def warning(self, message: str) -> None:
        """A line, the first time."""
        if message in self._told:
            return
        self._told.add(message)
        click.echo(f"warning: {printable_lines(message)}", err=True)


class BarMonitor:
    """One live line on standard error: phase, bar, rows, bytes, the item at hand.

    It appears with the first work, not before: connecting may ask for a password.
    """

    def __init__(self) -> None:
        self._progress = _new_progress()
        self._task = self._progress.add_task("", item="", done="", visible=False)
        self._rows = 0
        self._raw_bytes = 0
        self._told: set[str] = set()

    def phase(self, name: str, total_rows: int | None = None) -> None:
        """The line begins anew."""
        self._rows = self._raw_bytes = 0
        self._progress.reset(
            self._task, description=printable(name), total=total_rows or None, visible=True,
            item="", done="",
        )  # fmt: skip

    def advance(self, rows: int, raw_bytes: int) -> None:
        """The bar moves; an estimate that was too low grows with the rows."""
        self._progress.start()
        self._rows += rows
        self._raw_bytes += raw_bytes
        self._progress.update(
            self._task,
            completed=self._rows,
            done=self._done(),
        )

    def _done(self) -> str:
        """A check counts bytes alone."""
        rows = f"{format_count(self._rows)} rows, " if self._rows else ""
        return rows + format_bytes(self._raw_bytes)

    def item(self, label: str) -> None:
        """The label stands at the end of the line."""
        self._progress.start()
        self._progress.update(self._task, item=printable(label))

    def warning(self, message: str) -> None:
        """A line above the bar, the first time."""
        if message in self._told:
            return
        self._told.add(message)
        self._progress.console.print(
            f"warning: {printable_lines(message)}", markup=False, highlight=False, style="yellow"
        )

    def close(self) -> None:
        """The line goes away."""
        self._progress.stop()


def _new_progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[done]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[item]}", style="dim"),
        console=Console(stderr=True),
        transient=True,
    )
