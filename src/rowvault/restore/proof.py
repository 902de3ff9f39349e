"""Whether what was restored is what the snapshot holds: if not, the restore has failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from rowvault.core.errors import VerificationError
from rowvault.core.model import ObjectDefinition
from rowvault.core.monitor import Monitor
from rowvault.repository.repository import Repository
from rowvault.repository.snapshot import Snapshot
from rowvault.restore.definitions import object_problems
from rowvault.restore.prover import Prover
from rowvault.restore.release import same_release
from rowvault.restore.selection import Chosen
from rowvault.restore.verify import compare
from rowvault.source.protocol import Source, Target


def prove(
    repository: Repository,
    snapshot: Snapshot,
    built: Chosen,
    open_source: Callable[[], Source],
    worker_count: int,
    monitor: Monitor,
    prover: Prover,
) -> None:
    """Reads definitions and rows back; of what `prover` has begun, only what it did not prove.

    Raises VerificationError naming what differs.
    """
    comparison = compare(
        repository, built, open_source(), worker_count, monitor, proven=prover.stop()
    )
    rows = list(comparison.rows)
    if unproven := prover.unproven():
        rest = [
            one
            for one in built.tables
            if (one.definition.database, one.definition.name) in unproven
        ]
        again = replace(built, objects=(), tables=tuple(rest), called=(), accounts=())
        rows += compare(repository, again, open_source(), worker_count, monitor).rows
    for difference in comparison.databases:
        monitor.warning(f"{difference}; it was there before and is left as it is")
    _judge(snapshot, comparison.server.version, comparison.definitions, rows, monitor)


def prove_events(
    snapshot: Snapshot, events: Sequence[ObjectDefinition], target: Target, monitor: Monitor
) -> None:
    """Reads the definitions of events back. Raises VerificationError naming what differs."""
    found = [
        one
        for database in sorted({one.database for one in events})
        for one in target.events(database)
    ]
    _judge(snapshot, target.server.version, object_problems(events, found), [], monitor)


def prove_accounts(
    snapshot: Snapshot, differences: Sequence[str], target: Target, monitor: Monitor
) -> None:
    """Judges what differs in users and grants. Raises VerificationError naming it."""
    _judge(snapshot, target.server.version, differences, [], monitor)


def _judge(
    snapshot: Snapshot,
    version: str,
    definitions: Iterable[str],
    failures: list[str],
    monitor: Monitor,
) -> None:
    if same_release(snapshot.server.version, version):
        failures[:0] = definitions
    else:
        # Another release may write the same definition in other words.
        for difference in definitions:
            monitor.warning(f"{version} has another definition: {difference}")
    if failures:
        raise VerificationError(
            "the target does not hold what the snapshot holds:\n" + "\n".join(failures)
        )
