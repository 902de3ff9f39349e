"""What a server does not take, asked of it before a restore changes anything.

What the server's own lists do not tell is left to the server: it refuses then.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.source.mysql.accounts.rights import read_rights
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.source.mysql.wire.server import global_variables
from rowvault.source.mysql.writing.key_rules import (
    GLOBAL_RULES,
    GROUP_MEMBER,
    SESSION_RULES,
    refusals,
)
from rowvault.sqltext.mysql.create_table import CreateTable, ElementKind
from rowvault.sqltext.mysql.session_marks import is_broken
from rowvault.sqltext.quoting import encode_name, identifier, mysql_string

_NAMED = 5
_MAY_WRITE = {
    "mysql": ("CONNECTION_ADMIN", "SUPER"),
    "mariadb": ("READ ONLY ADMIN", "READ_ONLY ADMIN"),
}
"""Rights with which read_only is no hindrance; before MariaDB 10.11 SUPER is one, too."""
_SUPER_WRITES_BEFORE = (10, 11)
_FOR_NOBODY = ("super_read_only", "innodb_read_only")
_PLUGIN_TYPES = frozenset({"uuid", "inet4", "inet6", "xmltype"})
_VECTOR_SINCE = {"mysql": (9, 0), "mariadb": (11, 7)}
_COLLATION = re.compile(rb"'(?:[^'\\]|\\.|'')*'|`(?:[^`]|``)*`|\bcollate[ =]+(\w+)", re.I | re.S)
_ZONE = re.compile(rb"'([A-Za-z][\w/+-]*)'")
_LOAD_ZONES = (
    "Load its time zone tables (mariadb-tzinfo-to-sql or mysql_tzinfo_to_sql /usr/share/zoneinfo, "
    "into the database mysql)"
)


def find_obstacles(
    connection: Connection, vendor: str, made: Sequence[ObjectDefinition | TableDefinition]
) -> list[str]:
    """One message for each obstacle, with what it concerns and what to do. Raises SourceError."""
    tables = [one for one in made if isinstance(one, TableDefinition)]
    objects = [one for one in made if not isinstance(one, TableDefinition)]
    return [
        *_read_only(connection, vendor),
        *_locked_databases(connection, vendor, made),
        *refusals(_rules(connection, vendor), tables),
        *_engines(connection, tables),
        *_types(connection, vendor, tables),
        *_collations(connection, made),
        *_reference_systems(connection, vendor, tables),
        *_time_zones(connection, objects),
    ]


def _read_only(connection: Connection, vendor: str) -> Iterator[str]:
    values = global_variables(connection, ("read_only", *_FOR_NOBODY, "version"))
    on = [name for name in _FOR_NOBODY if values.get(name) == "ON"]
    mode = values.get("read_only", "OFF")
    rights = read_rights(connection)
    writes = list(_MAY_WRITE[vendor])
    if vendor == "mariadb" and _version(values.get("version", "")) < _SUPER_WRITES_BEFORE:
        writes.append("SUPER")
    if mode not in ("OFF", "0") and not on:
        for_all = "NO_ADMIN" in mode
        if for_all or not any(rights.has_globally(right) for right in writes):
            on.append("read_only")
    if on:
        switched = ", ".join(f"{name} = OFF" for name in on if name != "innodb_read_only")
        yield (
            f"The target is read-only ({', '.join(on)}) for this account: "
            + (f"SET GLOBAL {switched}, or restore" if switched else "restore")
            + " to the primary server"
        )


def _locked_databases(
    connection: Connection, vendor: str, made: Iterable[ObjectDefinition | TableDefinition]
) -> Iterator[str]:
    if vendor != "mysql":
        return
    wanted = {one.database for one in made if one.database}
    query = "SELECT SCHEMA_NAME, OPTIONS FROM information_schema.SCHEMATA_EXTENSIONS"
    for row in _rows(connection, query) or ():
        name, options = text(row[0]), text(row[1])
        if name in wanted and "READ ONLY=1" in options:
            yield (
                f"database {name} is READ ONLY on the target: ALTER DATABASE {identifier(name)} "
                "READ ONLY = 0, and 1 again when it is restored"
            )


def _rules(connection: Connection, vendor: str) -> dict[str, str]:
    values = global_variables(connection, GLOBAL_RULES)
    listed = ", ".join(mysql_string(name) for name in SESSION_RULES)
    rows = connection.rows(f"SHOW SESSION VARIABLES WHERE Variable_name IN ({listed})")
    values |= {text(row[0]).lower(): text(row[1]) for row in rows}
    if vendor == "mysql":
        members = _rows(
            connection,
            "SELECT MEMBER_STATE FROM performance_schema.replication_group_members "
            "WHERE MEMBER_ID = @@server_uuid",
        )
        if any(text(row[0]) not in ("", "OFFLINE") for row in members or ()):
            values[GROUP_MEMBER] = "ON"
    return values


def _engines(connection: Connection, tables: Sequence[TableDefinition]) -> Iterator[str]:
    rows = connection.rows("SELECT ENGINE, SUPPORT FROM information_schema.ENGINES")
    there = {text(row[0]).upper() for row in rows if text(row[1]).upper() in ("YES", "DEFAULT")}
    lacking: dict[str, list[str]] = defaultdict(list)
    for one in tables:
        if one.engine and one.engine.upper() not in there:
            lacking[one.engine].append(one.label)
    for engine, labels in sorted(lacking.items()):
        yield (
            f"The target lacks the storage engine {engine} of {_listed(labels)}: enable it there, "
            "or choose other tables with -t"
        )


def _types(connection: Connection, vendor: str, tables: Sequence[TableDefinition]) -> Iterator[str]:
    found: dict[str, list[str]] = defaultdict(list)
    for table in tables:
        for column in table.columns:
            found[column.type.lower().partition("(")[0]].append(f"{table.label}.{column.name}")
    lacking = []
    if vendor == "mariadb" and found.keys() & _PLUGIN_TYPES:
        query = "SELECT PLUGIN_NAME, '' FROM information_schema.ALL_PLUGINS"
        query += " WHERE PLUGIN_TYPE = 'DATA TYPE'"
        rows = _rows(connection, query)
        there = {text(row[0]).lower() for row in rows or ()}
        lacking += sorted((found.keys() & _PLUGIN_TYPES) - there) if there else []
    version = text(connection.rows("SELECT VERSION()")[0][0])
    if "vector" in found and _version(version) < _VECTOR_SINCE[vendor]:
        lacking.append("vector")
    for name in lacking:
        yield (
            f"The target's release has no type {name.upper()}, which {_listed(found[name])} need: "
            "restore to the release of the snapshot's server or a newer one"
        )


def _collations(
    connection: Connection, made: Sequence[ObjectDefinition | TableDefinition]
) -> Iterator[str]:
    rows = connection.rows("SELECT * FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY")
    there = {_older(text(cell).lower()) for row in rows for cell in row}
    lacking: dict[str, list[str]] = defaultdict(list)
    for one in made:
        if isinstance(one, ObjectDefinition) and is_broken(one):
            continue
        for name in sorted(_collations_of(one)):
            if _older(name) not in there:
                lacking[name].append(one.label)
    for name, labels in sorted(lacking.items()):
        yield (
            f"The target has no collation {name}, which {_listed(labels)} need: restore to the "
            "release of the snapshot's server or a newer one"
        )


def _collations_of(definition: ObjectDefinition | TableDefinition) -> set[str]:
    """Those of what the server writes itself, and of the sessions that programs need."""
    names = set()
    if isinstance(definition, TableDefinition) or definition.kind in (
        ObjectKind.DATABASE,
        ObjectKind.VIEW,
    ):
        names = {
            match[1].decode() for match in _COLLATION.finditer(definition.statement) if match[1]
        }
    session = dict(definition.session)
    names |= {
        session[key] for key in ("collation_connection", "collation_database") if key in session
    }
    return {name.lower() for name in names}


def _older(collation: str) -> str:
    """utf8mb3 has two names."""
    return re.sub(r"^utf8mb3(?=_|$)", "utf8", collation)


def _reference_systems(
    connection: Connection, vendor: str, tables: Sequence[TableDefinition]
) -> Iterator[str]:
    wanted: dict[int, list[str]] = defaultdict(list)
    for table in tables if vendor == "mysql" else ():
        if b" SRID " not in table.statement:
            continue
        parsed = CreateTable.parse(table.statement)
        for one in parsed.elements if parsed else ():
            if one.kind is ElementKind.COLUMN and b"SRID" in one.tokens:
                number = one.tokens[one.tokens.index(b"SRID") + 1]
                name = one.tokens[0][1:-1].decode("utf-8", "surrogateescape")
                wanted[int(number)].append(f"{table.label}.{name}")
    if not wanted:
        return
    listed = ", ".join(map(str, wanted))
    rows = connection.rows(
        "SELECT SRS_ID FROM information_schema.ST_SPATIAL_REFERENCE_SYSTEMS "
        f"WHERE SRS_ID IN ({listed})"
    )
    there = {int(text(row[0])) for row in rows}
    for lacking in sorted(wanted.keys() - there):
        yield (
            f"The target has no spatial reference system {lacking}, which "
            f"{_listed(wanted[lacking])} need, and a snapshot carries none: CREATE SPATIAL "
            f"REFERENCE SYSTEM {lacking} ... there, as information_schema."
            "ST_SPATIAL_REFERENCE_SYSTEMS of the snapshot's server has it"
        )


def find_cautions(
    connection: Connection, made: Sequence[ObjectDefinition | TableDefinition]
) -> list[str]:
    """What may be otherwise here without any error, one message each. Raises SourceError."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for one in made:
        if isinstance(one, TableDefinition):
            for zone in _zones_of(one):
                wanted[zone].append(one.label)
    return [
        f"The target does not know the time zone {zone}, with which {_listed(labels)} computes: "
        f"CONVERT_TZ gives NULL there. {_LOAD_ZONES}, and restore again"
        for zone, labels in sorted(wanted.items())
        if not _knows_zone(connection, zone)
    ]


def _zones_of(table: TableDefinition) -> set[str]:
    """Zones that CONVERT_TZ is called with, in defaults and in what columns are computed from."""
    calls = re.split(rb"\bconvert_tz\(", table.statement, flags=re.IGNORECASE)[1:]
    return {zone.decode() for call in calls for zone in _ZONE.findall(call.partition(b")")[0])}


def _time_zones(connection: Connection, objects: Sequence[ObjectDefinition]) -> Iterator[str]:
    wanted: dict[str, list[str]] = defaultdict(list)
    for one in objects:
        if zone := dict(one.session).get("time_zone"):
            wanted[zone].append(one.label)
    for zone, labels in sorted(wanted.items()):
        if not _knows_zone(connection, zone):
            yield (
                f"The target does not know the time zone {zone} of {_listed(labels)}. {_LOAD_ZONES}"
            )


def _knows_zone(connection: Connection, zone: str) -> bool:
    task = "asking for a time zone"
    before = mysql_string(text(connection.rows("SELECT @@SESSION.time_zone", task)[0][0]))
    try:
        statement = encode_name(f"SET SESSION time_zone = {mysql_string(zone)}")
        connection.execute(statement, task)
    except faults.LostError:
        raise
    except faults.StatementError:
        return False
    connection.execute(f"SET SESSION time_zone = {before}", task)
    return True


def _version(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.removeprefix("5.5.5-"))[:2])


def _rows(connection: Connection, query: str) -> tuple[tuple[bytes | None, ...], ...] | None:
    """None where the server has no such list, or does not show it to this account."""
    try:
        return connection.rows(query)
    except faults.LostError:
        raise
    except faults.StatementError:
        return None


def _listed(labels: Sequence[str]) -> str:
    more = len(labels) - _NAMED
    return ", ".join(labels[:_NAMED]) + (f" and {more} more" if more > 0 else "")
