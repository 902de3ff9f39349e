"""`rowvault mount` and `rowvault umount`."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import click

from rowvault.cli.command import Command
from rowvault.cli.input.names import parse_name
from rowvault.cli.input.options import SNAPSHOT_HELP
from rowvault.cli.input.snapshot_name import snapshot_choice, source_option, taken
from rowvault.cli.output import stdout
from rowvault.cli.output.exit_codes import ExitCode
from rowvault.cli.settings import Settings

_LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"


@click.command(
    "mount",
    cls=Command,
    short_help="Browse all snapshots as files.",
    help=f"""Mount the repository at DIR, an empty directory: every snapshot as a folder of SQL.

    snapshots/TIME-ID/DATABASE/TABLE.sql holds a table, as `dump SNAP DB.TABLE` prints it;
    snapshots/TIME-ID/objects/DATABASE.sql its views, routines, triggers and events;
    snapshots/TIME-ID/all.sql everything. `latest` and tags/TAG lead to snapshots; where the
    snapshots are of several sources, sources/NAME/latest in place of `latest`.

    Nothing is restored for it: a file is made while it is read. Everything is read-only. The mount
    serves in the background until `rowvault umount DIR`; new snapshots appear by themselves.

    With --snapshot: {SNAPSHOT_HELP}
    """,
    examples=[
        "rowvault mount /mnt/vault",
        "rowvault mount /mnt/vault --snapshot latest --path shop",
        "rowvault mount /mnt/vault -f --allow-other",
    ],
    exit_codes=[
        ExitCode.DONE,
        ExitCode.FAILED,
        ExitCode.USAGE,
        ExitCode.NO_REPOSITORY,
        ExitCode.WRONG_PASSWORD,
        ExitCode.DAMAGE,
        ExitCode.INTERRUPTED,
    ],
)
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("-f", "--foreground", is_flag=True, help="Serve in the foreground until Ctrl-C.")
@click.option("--snapshot", metavar="SNAP", help="Only this snapshot, as the top of the tree.")
@click.option("--path", metavar="DB[.TABLE]", help="Only this database or table of each snapshot.")
@click.option("--allow-other", is_flag=True, help="Other users may read the files, too.")
@source_option
@click.option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where damage and other trouble is noted. Default in the background: "
    "rowvault/mount.log in the user's state directory.",
)
@click.pass_obj
def mount(
    settings: Settings,
    directory: Path,
    foreground: bool,
    snapshot: str | None,
    path: str | None,
    allow_other: bool,
    log: Path | None,
    source_name: str | None,
) -> None:
    """Runs `rowvault mount`."""
    from rowvault.cli.background import Background
    from rowvault.commands.mount import MountOptions, check_mount_point
    from rowvault.commands.mount import mount as run

    database, table = parse_name(path) if path is not None else (None, None)
    place = directory.absolute()
    access = settings.access()
    choice = None if snapshot is None else snapshot_choice(settings, snapshot, source_name)
    check_mount_point(place)
    file = log or (None if foreground else _default_log())
    if file is not None:
        _log_to(file.absolute())
    background = None if foreground else Background()

    def ready() -> None:
        if settings.as_json:
            found = taken(settings) if settings.taken else {}
            stdout.write_json(found | {"directory": str(place), "pid": os.getpid()})
        elif not settings.quiet:
            how = "Ctrl-C ends it" if foreground else f"end it with: rowvault umount {place}"
            stdout.write_line(f"mounted at {place}; {how}")
        stdout.flush()
        if background is not None:
            background.detach()

    run(MountOptions(access, place, choice, database, table, allow_other), ready)


@click.command(
    "umount",
    cls=Command,
    short_help="End a mount.",
    help="""End the mount at DIR. What served it ends by itself.""",
    examples=["rowvault umount /mnt/vault"],
    exit_codes=[ExitCode.DONE, ExitCode.FAILED, ExitCode.USAGE],
)
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
def umount(directory: Path) -> None:
    """Runs `rowvault umount`."""
    from rowvault.commands.mount import unmount

    unmount(directory.absolute())


def _default_log() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(state) / "rowvault" / "mount.log"


def _log_to(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(file, delay=True)
    handler.setFormatter(logging.Formatter(_LOG_FORMAT))
    logging.getLogger("rowvault").addHandler(handler)
