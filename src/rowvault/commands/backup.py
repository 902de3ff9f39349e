"""`backup`: takes a snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from rowvault.commands.access import RepositoryAccess
from rowvault.commands.server import ServerAccess
from rowvault.core.monitor import Monitor
from rowvault.repository import CHECKPOINT_WITHOUT_PRUNE, check_tag

if TYPE_CHECKING:
    from rowvault.backup.engine import BackupResult
    from rowvault.repository import Repository

_KEPT_MEMORY_BYTES = 64 << 20
"""Of what was freed: two packs, and what the connections have under way."""


class BackupOptions(msgspec.Struct, frozen=True):
    """What to back up, into which repository."""

    repository: RepositoryAccess
    source: ServerAccess
    databases: tuple[str, ...] = ()
    tables: tuple[tuple[str, str], ...] = ()
    excludes: tuple[str, ...] = ()
    workers: int = 2
    tags: tuple[str, ...] = ()
    dry_run: bool = False
    may_lock: bool = True
    longest_lock_wait_s: float | None = None
    """None: the default."""
    users: bool = False
    most_bytes_per_s: int | None = None
    """None: as fast as it goes."""
    pause_when: tuple[str, float] | None = None
    """(status variable, how high it may be)."""
    level: int | None = None
    """Of zstd, 0: none; None: the default."""
    source_name: str | None = None
    """None: the default one."""


def backup(options: BackupOptions, monitor: Monitor) -> BackupResult:
    """Takes a snapshot of a live server. Raises SourceError, RepositoryError, DamageError."""
    for tag in options.tags:
        check_tag(tag)
    with options.repository.open_ahead() as opened:
        # Imported here because loading the engine takes as long as deriving the repository's key,
        # and both go on at once.
        from rowvault.backup.engine import BackupRequest, LoadLimit, run_backup_into
        from rowvault.codec import kernel
        from rowvault.codec.compression import DEFAULT_LEVEL
        from rowvault.source.protocol import DEFAULT_LOCKING, Locking, Selection

        kernel.keep_freed_memory(_KEPT_MEMORY_BYTES)
        request = BackupRequest(
            selection=Selection(options.databases, options.tables, options.excludes, options.users),
            workers=options.workers,
            tags=options.tags,
            most_bytes_per_s=options.most_bytes_per_s,
            pause_when=None if options.pause_when is None else LoadLimit(*options.pause_when),
            dry_run=options.dry_run,
            level=DEFAULT_LEVEL if options.level is None else options.level,
            source=options.source_name,
        )
        longest_s = options.longest_lock_wait_s
        locking = Locking(
            allowed=options.may_lock,
            longest_wait_s=DEFAULT_LOCKING.longest_wait_s if longest_s is None else longest_s,
        )
        source = options.source.source(monitor, locking)
        if opened.has_failed:  # nothing need be asked of the server then
            opened.result()
        result = run_backup_into(opened.result, source, request, monitor)
        repository = opened.result()
        return msgspec.structs.replace(result, damage=_examine(repository, options.dry_run))


def _examine(repository: Repository, dry_run: bool) -> tuple[str, ...]:
    """How the set of snapshots is not as it must be, in words; the new one is safe all the same."""
    found = repository.snapshot_set
    report = found.examine() if dry_run else found.settle()
    if not report.problems and not dry_run:
        repository.ledger.compact(CHECKPOINT_WITHOUT_PRUNE)
    return tuple(str(one.error) for one in report.problems)
