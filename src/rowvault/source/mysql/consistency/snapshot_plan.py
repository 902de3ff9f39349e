"""Which way to one moment a backup will take; asked without locking anything for longer than that.

The locks on definitions are tried and given back at once; all that would wait for statements of
others is foretold from rights.
"""

from __future__ import annotations

from collections.abc import Sequence

from rowvault.core.model import ConsistencyPoint
from rowvault.source.mysql.accounts.rights import Rights
from rowvault.source.mysql.consistency import consistency_point as ways
from rowvault.source.mysql.consistency.ddl_guard import COMPARED, METADATA_LOCKS, UNGUARDED
from rowvault.source.mysql.consistency.features import SnapshotFeatures
from rowvault.source.mysql.consistency.locks import BACKUP_STAGE, try_lock_on_definitions
from rowvault.source.mysql.schema.table_list import ListedTable
from rowvault.source.mysql.wire.connection import Connection

READ_LOCK_RIGHTS = ("RELOAD", "FLUSH_TABLES")


def plan_snapshot(
    control: Connection,
    features: SnapshotFeatures,
    rights: Rights,
    tables: Sequence[ListedTable],
    can_compare: bool,
) -> ConsistencyPoint:
    """The method and the guard of definitions, each with its reason. Raises LostError."""
    lock, refusal = try_lock_on_definitions(control)
    guard = lock or (METADATA_LOCKS if tables else COMPARED if can_compare else UNGUARDED)
    method, reasons = _method(features, rights, tables, lock == BACKUP_STAGE, can_compare)
    return ConsistencyPoint(
        method=method,
        reason="; ".join(reasons),
        definitions=guard,
        definitions_reason=refusal,
    )


def _method(
    features: SnapshotFeatures,
    rights: Rights,
    tables: Sequence[ListedTable],
    has_stage: bool,
    can_compare: bool,
) -> tuple[str, list[str]]:
    if features.clones:
        return ways.CLONED, []
    if features.tells_positions and not features.unlogged:
        return ways.BINLOG_POSITION, []
    reasons = [features.unlogged or ways.no_positions(features)]
    if has_stage and can_compare:
        return ways.STAGE, reasons
    if has_stage:
        reasons.append("without the right PROCESS a table that is swapped meanwhile would not show")
    if any(rights.has_globally(right) for right in READ_LOCK_RIGHTS):
        return ways.READ_LOCK, reasons
    reasons.append("a read lock needs the right RELOAD")
    if tables and may_lock(rights, tables):
        return ways.TABLE_LOCKS, reasons
    reasons.append("locking the tables needs the right LOCK TABLES")
    if features.owns_gtids and not features.unlogged:
        reasons.append("where commits come too fast for this, one connection reads everything")
        return ways.EQUAL_POSITIONS, reasons
    return ways.ONE_CONNECTION, reasons


def may_lock(rights: Rights, tables: Sequence[ListedTable]) -> bool:
    """Whether the account may LOCK TABLES all of these."""
    return all(rights.has("LOCK TABLES", database) for database in {one.name[0] for one in tables})
