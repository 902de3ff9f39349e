"""`rowvault demo`."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from pathlib import Path

import click

from rowvault.cli.command import Command, usage_error
from rowvault.cli.output import stdout
from rowvault.cli.output.exit_codes import ExitCode
from rowvault.cli.settings import Settings


@click.command(
    "demo",
    cls=Command,
    short_help="Show the whole tour on a small SQLite shop.",
    examples=["rowvault demo", "rowvault demo /tmp/tour", "rowvault demo --json"],
    exit_codes=[
        ExitCode.DONE,
        ExitCode.FAILED,
        ExitCode.USAGE,
        ExitCode.UNVERIFIED,
        ExitCode.INTERRUPTED,
    ],
)
@click.argument("directory", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def demo(settings: Settings, directory: Path | None) -> None:
    """Make a small shop in SQLite, back it up, let a day pass, back it up again, compare both
    snapshots and restore the older one.

    Every step is the real command, shown as you would type it. At the end the restored database is
    compared value by value with a copy that was set aside, without Rowvault's help. All is done
    in DIR, which must be new or empty and stays; or in a temporary directory, which goes.
    """
    from rowvault.cli.tour import Tour

    with _place(directory) as place:
        result = Tour(Path(place), show=not (settings.as_json or settings.quiet)).run()
    if settings.as_json:
        stdout.write_json(
            {
                "snapshots": result.snapshots,
                "tables": result.tables,
                "rows": result.rows,
                "verified": True,
            }
        )


def _place(directory: Path | None) -> nullcontext[str] | tempfile.TemporaryDirectory[str]:
    """The directory of the tour. Raises UsageError for one that holds something."""
    if directory is None:
        return tempfile.TemporaryDirectory(prefix="rowvault-demo-")
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise usage_error(f"{directory} is not empty: the demo wants a place of its own")
    return nullcontext(str(directory))
