"""Whether a target can hold what was chosen: asked before anything on it is changed."""

from __future__ import annotations

from collections.abc import Sequence

from rowvault.core.errors import RestoreError, UsageError
from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.core.monitor import Monitor
from rowvault.repository import Snapshot
from rowvault.restore.plan.case import names_in_another_case
from rowvault.restore.plan.conflicts import RELATIONS, Slot, slots
from rowvault.restore.plan.vendors import kept_by_vendor_alone
from rowvault.restore.selection.selection import RestoreSelection
from rowvault.source.protocol import ExistingObject, Target

_NAMED = 5
_CASE = "lower_case_table_names"
_KEPT = "0"
"""The server tells names apart that differ in case."""
_LOWERED = "1"
"""The server stores the names of databases and tables in lower case."""


def check_vendor(snapshot: Snapshot, chosen: RestoreSelection, target: Target) -> None:
    """Raises RestoreError for another vendor's server, naming what it could not have."""
    vendor, other = snapshot.server.vendor, target.server.vendor
    if vendor == other:
        return
    named = kept_by_vendor_alone(chosen, vendor)
    raise RestoreError(
        f"snapshot {snapshot.id} is of {vendor}, the target is {other}: values and definitions "
        "would not come back exactly"
        + (f", among them {named}" if named else "")
        + f"; nothing was changed. Restore to {vendor}"
    )


def check_names(chosen: RestoreSelection, target: Target) -> None:
    """Raises UsageError, RestoreError where names would change or collide on the target."""
    other = [name for name in chosen.databases if name != "main"]
    if target.server.vendor == "sqlite" and other:
        raise UsageError(f"an SQLite file has one database, main; --rename to {other[0]} cannot be")
    _check_collisions(chosen, target)
    if dict(target.server.settings).get(_CASE) == _LOWERED:
        _check_lower_case(chosen)


def warn_of_case(
    snapshot: Snapshot, chosen: RestoreSelection, target: Target, monitor: Monitor
) -> None:
    """Names programs that relied on a server that ignores the case of table names."""
    before = dict(snapshot.server.settings).get(_CASE, _KEPT)
    if before == _KEPT or dict(target.server.settings).get(_CASE, _KEPT) != _KEPT:
        return
    for program, written, name in names_in_another_case(chosen):
        monitor.warning(
            f"{program.label} names the table {name} as {written}: the snapshot's server ignored "
            f"case ({_CASE}={before}), and the target does not"
        )


def check_rights(
    chosen: RestoreSelection, conflicts: Sequence[ExistingObject], target: Target
) -> None:
    """Raises RestoreError where the account surely lacks a right that is needed."""
    tables = [record.definition for record in chosen.tables]
    made: list[ObjectDefinition | TableDefinition] = [*chosen.objects, *chosen.accounts, *tables]
    lacking = target.lacking_rights(made, conflicts)
    if lacking:
        concerns_definers = any(" definer " in one for one in lacking)
        advice = "; with --definer drop the account itself is the definer of everything"
        raise RestoreError(
            "the account lacks rights that this restore needs, and nothing was changed:\n"
            + "\n".join(lacking)
            + "\nGrant them, or choose what needs less with -d and -t"
            + (advice if concerns_definers else "")
        )


def check_obstacles(chosen: RestoreSelection, target: Target) -> None:
    """Raises RestoreError where the target is set up so, or lacks so much, that it cannot be."""
    tables = [record.definition for record in chosen.tables]
    found = target.obstacles([*chosen.objects, *tables, *chosen.accounts])
    if found:
        raise RestoreError(
            "the target cannot take this as it is, and nothing was changed:\n" + "\n".join(found)
        )


def _check_collisions(chosen: RestoreSelection, target: Target) -> None:
    taken: dict[Slot, str] = {}
    for database in chosen.databases:
        place = (ObjectKind.DATABASE, target.folded(ObjectKind.DATABASE, database), "")
        _take(taken, place, f"database {database}")
    for place, label in slots(target, chosen):
        _take(taken, place, label)


def _take(taken: dict[Slot, str], name: Slot, label: str) -> None:
    if taken.setdefault(name, label) != label:
        raise RestoreError(
            f"the target takes the names of {taken[name]} and {label} for the same; nothing was "
            "changed. Give one of them another name with --rename, or choose a target that tells "
            "them apart"
        )


def _check_lower_case(chosen: RestoreSelection) -> None:
    named = [f"database {name}" for name in chosen.databases if name != name.lower()]
    named += [
        f"table {record.definition.label}"
        for record in chosen.tables
        if record.definition.name != record.definition.name.lower()
    ]
    named += [
        one.label
        for one in chosen.objects
        if one.kind in RELATIONS and one.name != one.name.lower()
    ]
    if named:
        more = len(named) - _NAMED
        raise RestoreError(
            f"the target stores names in lower case ({_CASE}={_LOWERED}), so these would get other "
            f"names: {', '.join(named[:_NAMED])}{f' and {more} more' if more > 0 else ''}; nothing "
            "was changed. Give them lower-case names with --rename, or restore to a server with "
            f"{_CASE}=0"
        )
