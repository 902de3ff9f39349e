"""What only one vendor's servers have: why a snapshot does not go to another vendor's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rowvault.core.model import ObjectKind, TableDefinition
from rowvault.restore.selection.selection import RestoreSelection

_NAMED = 5

_OWN_KINDS = {
    "mariadb": (ObjectKind.SEQUENCE, ObjectKind.PACKAGE, ObjectKind.PACKAGE_BODY),
    "mysql": (),
    "sqlite": (),
}
_OWN_TYPES = {
    "mariadb": re.compile(r"uuid|inet[46]|xmltype"),
    "mysql": re.compile(r"json"),
    "sqlite": re.compile(r"$^"),
}
"""Types of columns; MariaDB's JSON is another type's name."""
_OWN_WORDS = {
    "mariadb": {
        b"WITH SYSTEM VERSIONING": "versions of rows",
        b"_uca1400_": "a collation of uca1400",
        b"PERIOD FOR": "a period",
        b"ENGINE=Aria": "the engine Aria",
        b"PAGE_COMPRESSED": "compressed pages",
        b"/*M!": "an option",
    },
    "mysql": {
        b"_0900_": "a collation of 0900",
        b" SRID ": "the SRID of a column",
        b"/*!80023 INVISIBLE */": "an invisible column",
    },
    "sqlite": {},
}


def kept_by_vendor_alone(chosen: RestoreSelection, vendor: str) -> str:
    """Names the first few things that another vendor's server cannot have; '' where none is known.

    The list is not complete: it is why, not whether, a restore to another vendor is refused.
    """
    named = list(_names(chosen, vendor))
    more = len(named) - _NAMED
    return ", ".join(named[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _names(chosen: RestoreSelection, vendor: str) -> Iterator[str]:
    for one in chosen.objects:
        if one.kind in _OWN_KINDS[vendor]:
            yield one.label
    for record in chosen.tables:
        yield from _table_names(record.definition, vendor)


def _table_names(table: TableDefinition, vendor: str) -> Iterator[str]:
    for column in table.columns:
        if _OWN_TYPES[vendor].match(column.type.lower()):
            yield f"{table.label}.{column.name} ({column.type})"
    for word, meaning in _OWN_WORDS[vendor].items():
        if word in table.statement:
            yield f"{table.label} ({meaning})"
