"""`dump`: a snapshot as SQL, or the rows of a table as CSV or JSON."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rowvault.commands.access import RepositoryAccess
from rowvault.commands.chosen import SnapshotChoice, wanted_part
from rowvault.core.errors import UsageError
from rowvault.core.monitor import Monitor
from rowvault.render.dump import DumpResult, dump_rows, dump_snapshot
from rowvault.render.rows import RowFormat

Write = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class DumpOptions:
    """What to dump, and where to."""

    repository: RepositoryAccess
    snapshot: SnapshotChoice
    database: str | None
    table: str | None
    write: Write
    """Takes the text when `file` is None."""
    file: Path | None
    row_format: RowFormat | None = None
    """None: SQL; else the rows of one table alone."""


def dump(options: DumpOptions, monitor: Monitor) -> DumpResult:
    """Writes a snapshot, a database or a table as SQL, or a table's rows in another form.

    Raises SnapshotNotFoundError, UsageError, DamageError, OSError.
    """
    if options.row_format is not None and options.table is None:
        raise UsageError(
            f"{options.row_format} holds the rows of one table: name it as DATABASE.TABLE"
        )
    with options.repository.open() as repository:
        wanted = wanted_part(options.database, options.table)
        snapshot = options.snapshot.of(repository, wanted).snapshot

        def run(write: Write) -> DumpResult:
            database, table = options.database, options.table
            if options.row_format is None:
                return dump_snapshot(repository, snapshot, database, table, write, monitor)
            assert database is not None
            assert table is not None
            name = (database, table)
            return dump_rows(repository, snapshot, name, options.row_format, write, monitor)

        if options.file is None:
            return run(options.write)
        with whole_file(options.file) as write:
            return run(write)


@contextmanager
def whole_file(path: Path) -> Iterator[Write]:
    """A writer to a file that appears under its name only when it is whole and durable.

    What is not an ordinary file (a device, a pipe) is written directly. Raises OSError.
    """
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        with open(path, "wb") as device:
            yield device.write
        return
    final = path.resolve()
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{final.name[:200]}.", dir=final.parent)
    except OSError as error:  # the person knows their own name for it
        raise type(error)(error.errno, error.strerror, str(path)) from error
    try:
        with open(handle, "wb", buffering=1 << 20) as file:
            yield file.write
            file.flush()
            os.fchmod(file.fileno(), _mode_for(final))
            os.fsync(file.fileno())
        os.replace(temporary, final)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync_directory(final.parent)


def _mode_for(path: Path) -> int:
    """The mode of the file that is replaced, or what the umask leaves of 0666."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0o077)
        os.umask(mask)
        return 0o666 & ~mask


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
