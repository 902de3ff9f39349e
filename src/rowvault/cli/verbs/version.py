"""`rowvault version`."""

from __future__ import annotations

import click

from rowvault.cli.command import Command
from rowvault.cli.output import stdout
from rowvault.cli.output.exit_codes import ExitCode
from rowvault.cli.output.table import write_facts
from rowvault.cli.settings import Settings


@click.command(
    "version",
    cls=Command,
    short_help="Say which versions and which kernel are in use.",
    examples=["rowvault version", "rowvault version --json | jq -r .kernel"],
    exit_codes=[ExitCode.DONE, ExitCode.FAILED, ExitCode.USAGE],
)
@click.pass_obj
def version(settings: Settings) -> None:
    """Say which versions are in use, and whether the compiled kernel or its plain twin runs."""
    from rowvault.commands.version import version as run

    result = run()
    if settings.as_json:
        stdout.write_json(
            {
                "rowvault": result.rowvault,
                "python": result.python,
                "platform": result.platform,
                "kernel": result.kernel,
                "libraries": result.libraries,
            }
        )
        return
    write_facts(
        [
            ("rowvault", result.rowvault),
            ("kernel", result.kernel),
            ("python", f"{result.python} on {result.platform}"),
            *result.libraries.items(),
        ]
    )
