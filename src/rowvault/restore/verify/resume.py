"""What stands of a restore that ended early: tables that are proven to be the snapshot's.

Nothing is believed that the earlier run might have noted: definitions and rows are read back, as a
verification reads them, and a table that differs in anything is made anew.
"""

from __future__ import annotations

from collections.abc import Callable

from rowvault.core.errors import UsageError
from rowvault.core.model import ObjectKind
from rowvault.core.monitor import Monitor
from rowvault.repository import Repository
from rowvault.restore.selection.selection import RestoreSelection
from rowvault.restore.verify.verify import TableName, equal_tables
from rowvault.source.protocol import Source, Target


def complete_tables(
    repository: Repository,
    chosen: RestoreSelection,
    target: Target,
    open_source: Callable[[], Source],
    worker_count: int,
    monitor: Monitor,
) -> frozenset[TableName]:
    """The chosen tables that the target holds already, definition and rows.

    Changes nothing. Raises UsageError for a target that keeps nothing of a failed restore;
    SourceError when the server cannot be read.
    """
    if not target.keeps_changes:
        raise UsageError(
            "a restore into an SQLite file that ends early leaves nothing to go on with; run it "
            "again without --resume"
        )
    there = {
        (one.database, one.name)
        for one in target.existing(chosen.databases)
        if one.kind is ObjectKind.TABLE
    }
    records = [
        record
        for record in chosen.tables
        if (record.definition.database, record.definition.name) in there
    ]
    if not records:
        return frozenset()
    monitor.phase("looking at what stands", sum(one.root.sums.rows for one in records))
    return frozenset(equal_tables(repository, records, open_source(), worker_count, monitor))
