"""`--compression LEVEL|auto|off`."""

from __future__ import annotations

import click

OFF = 0
MAXIMUM = 22
"""zstd's; its module takes longer to load than a help text may."""

_LEVELS = {"auto": None, "off": OFF} | {str(level): level for level in range(1, MAXIMUM + 1)}


def parse_level(
    context: click.Context | None, option: click.Parameter | None, text: str
) -> int | None:
    """zstd's level, 0 for `off`, None for `auto`. Raises BadParameter."""
    if text not in _LEVELS:
        raise click.BadParameter(
            f"{text!r} is no level: it is auto, off, or a number from 1 to {MAXIMUM}.",
            context,
            option,
        )
    return _LEVELS[text]


compression_option = click.option(
    "--compression",
    "level",
    default="auto",
    callback=parse_level,
    metavar="LEVEL",
    help="auto (zstd's fastest level, which suits rows that are stored by column), off, or zstd's"
    " level from 1 to 22, for what this run adds: 9 saves some three percent and takes nine times"
    " as long. Any of them may follow on any other. Default: auto.",
)
