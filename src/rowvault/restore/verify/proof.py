"""Whether what was restored is what the snapshot holds: if not, the restore has failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from rowvault.core.errors import VerificationError
from rowvault.core.model import ObjectDefinition
from rowvault.core.monitor import Monitor
from rowvault.repository import Repository, Snapshot, TableRecord
from rowvault.restore.selection.selection import RestoreSelection
from rowvault.restore.verify.definitions import object_problems
from rowvault.restore.verify.prover import Prover
from rowvault.restore.verify.release import same_release
from rowvault.restore.verify.verify import Comparison, TableName, compare
from rowvault.source.protocol import Source, Target


def prove_rows(
    repository: Repository,
    records: Sequence[TableRecord],
    open_source: Callable[[], Source],
    worker_count: int,
    monitor: Monitor,
    prover: Prover,
) -> None:
    """Reads the rows of tables back; of what `prover` has begun, only what it did not prove.

    Raises VerificationError naming what differs.
    """
    chosen = RestoreSelection(objects=(), tables=tuple(records))
    _, rows = _compared(repository, chosen, open_source, worker_count, monitor, prover, frozenset())
    raise_differences(rows)


def prove(
    repository: Repository,
    snapshot: Snapshot,
    built: RestoreSelection,
    open_source: Callable[[], Source],
    worker_count: int,
    monitor: Monitor,
    prover: Prover,
    proven: frozenset[TableName],
) -> list[str]:
    """Reads definitions and rows back; of what `prover` has begun, only what it did not prove.

    The rows of the tables in `proven` are the snapshot's. Gives what differs, one message each.
    """
    comparison, rows = _compared(
        repository, built, open_source, worker_count, monitor, prover, proven
    )
    for difference in comparison.databases:
        monitor.warning(f"{difference}; it was there before and is left as it is")
    return _judged(snapshot, comparison.server.version, comparison.definitions, monitor) + rows


def _compared(
    repository: Repository,
    chosen: RestoreSelection,
    open_source: Callable[[], Source],
    worker_count: int,
    monitor: Monitor,
    prover: Prover,
    proven: frozenset[TableName],
) -> tuple[Comparison, list[str]]:
    """The comparison, and what differs in rows."""
    comparison = compare(
        repository, chosen, open_source(), worker_count, monitor, proven=prover.stop() | proven
    )
    rows = list(comparison.rows)
    if unproven := prover.unproven():
        rest = [
            one
            for one in chosen.tables
            if (one.definition.database, one.definition.name) in unproven
        ]
        again = replace(chosen, objects=(), tables=tuple(rest), called=(), accounts=())
        rows += compare(repository, again, open_source(), worker_count, monitor).rows
    return comparison, rows


def prove_events(
    snapshot: Snapshot, events: Sequence[ObjectDefinition], target: Target, monitor: Monitor
) -> list[str]:
    """Reads the definitions of events back; gives what differs, one message each."""
    found = [
        one
        for database in sorted({one.database for one in events})
        for one in target.events(database)
    ]
    return _judged(snapshot, target.server.version, object_problems(events, found), monitor)


def prove_accounts(
    snapshot: Snapshot, differences: Sequence[str], target: Target, monitor: Monitor
) -> list[str]:
    """What of these differences in users and grants counts."""
    return _judged(snapshot, target.server.version, differences, monitor)


def raise_differences(failures: Sequence[str]) -> None:
    """Raises VerificationError where there are any."""
    if failures:
        raise VerificationError(
            "the target does not hold what the snapshot holds:\n" + "\n".join(failures)
        )


def _judged(
    snapshot: Snapshot, version: str, definitions: Iterable[str], monitor: Monitor
) -> list[str]:
    if same_release(snapshot.server.version, version):
        return list(definitions)
    # Another release may write the same definition in other words.
    for difference in definitions:
        monitor.warning(f"{version} has another definition: {difference}")
    return []
