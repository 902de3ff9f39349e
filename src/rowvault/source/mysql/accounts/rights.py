"""What the account may see, as far as its grants say so.

Without some rights the server shows less instead of refusing: triggers that are not listed would
be lost in silence. So what cannot be seen is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.sqltext.quoting import identifier

_NAME = r"(?:`(?:[^`]|``)*`|\"(?:[^\"]|\"\")*\")"
_GRANT = re.compile(
    rf"(?P<verb>GRANT|REVOKE) (?P<rights>.+?) ON (?P<scope>\*\.\*|{_NAME}\.(?:\*|{_NAME})) "
    r"(?:TO|FROM) ",
    re.DOTALL,
)
_RIGHT = re.compile(r"\s*((?:[^,(]|\([^)]*\))+)")
_ON_TABLES = frozenset(
    {
        *("ALL", "ALL PRIVILEGES", "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP"),
        *("REFERENCES", "INDEX", "ALTER", "CREATE VIEW", "SHOW VIEW", "TRIGGER", "DELETE HISTORY"),
    }
)
"""Each of these makes a table show; a right on the server alone, like PROCESS, does not."""


class _Grant(msgspec.Struct, frozen=True):
    rights: frozenset[str]
    """Each without the columns that it is for."""
    database: str | None
    """None: everywhere. Otherwise a pattern with `%`, `_` and a backslash that escapes them."""
    table: str | None
    """None: all of the database."""
    is_taken: bool = False
    """MySQL takes it away in this database from those who have it everywhere."""

    def covers(self, database: str) -> bool:
        return self.database is None or bool(_pattern(self.database).fullmatch(database))

    def __str__(self) -> str:
        database = "*" if self.database is None else identifier(self.database)
        table = "*" if self.table is None else identifier(self.table)
        return f"{', '.join(sorted(self.rights))} ON {database}.{table}"


class Rights:
    """The account's grants."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Of what SHOW GRANTS tells."""
        found = [grant for line in lines if (grant := _parse(line)) is not None]
        self._grants = [grant for grant in found if not grant.is_taken]
        self._taken = [grant for grant in found if grant.is_taken]

    def texts(self) -> tuple[str, ...]:
        """Each right and where it holds, sorted, without the account and anything secret."""
        given = {str(grant) for grant in self._grants if grant.rights - {"USAGE"}}
        return tuple(sorted(given | {f"without {grant}" for grant in self._taken}))

    def sees_databases(self) -> bool:
        """Whether databases show on which the account has no right of its own."""
        return any(grant.database is None and grant.rights - {"USAGE"} for grant in self._grants)

    def sees_tables(self, database: str) -> bool:
        """Whether tables of the database show on which the account has no right of its own."""
        return any(
            grant.table is None and self._on_tables(grant, database) for grant in self._grants
        )

    def sees(self, database: str, table: str) -> bool:
        """Whether this table shows, if it is there."""
        return any(
            grant.table in (None, table) and self._on_tables(grant, database)
            for grant in self._grants
        )

    def has(self, right: str, database: str) -> bool:
        """Whether the right holds for the whole database."""
        return any(
            grant.table is None and ({right, "ALL PRIVILEGES", "ALL"} & self._held(grant, database))
            for grant in self._grants
        )

    def has_somewhere(self, right: str, database: str) -> bool:
        """Whether the right holds for the database or for something in it."""
        return any(
            {right, "ALL PRIVILEGES", "ALL"} & self._held(grant, database) for grant in self._grants
        )

    def has_globally(self, right: str) -> bool:
        """Whether the right holds everywhere."""
        return any(
            grant.database is None and {right, "ALL PRIVILEGES", "ALL"} & grant.rights
            for grant in self._grants
        )

    def sees_routines(self, database: str) -> bool:
        """Whether routines of other definers show."""
        if any(self.has(right, database) for right in ("SHOW_ROUTINE", "SHOW CREATE ROUTINE")):
            return True
        return any(
            "SELECT" in grant.rights
            and (
                grant.database is None
                or (grant.database == "mysql" and grant.table in (None, "proc"))
            )
            for grant in self._grants
        )

    def _held(self, grant: _Grant, database: str) -> frozenset[str]:
        """What a grant gives in a database."""
        if not grant.covers(database):
            return frozenset()
        taken = {
            right
            for one in self._taken
            if grant.database is None and one.database == database
            for right in one.rights
        }
        return grant.rights - taken

    def _on_tables(self, grant: _Grant, database: str) -> frozenset[str]:
        return self._held(grant, database) & _ON_TABLES


def read_rights(connection: Connection) -> Rights:
    """Those of the account that the connection acts as. Raises LostError."""
    return Rights(_lines(connection))


def _lines(connection: Connection) -> list[str]:
    """The grants of the account and of its roles, which MySQL shows only when they are named."""
    statement, task = "SHOW GRANTS", "asking for the account's rights"
    try:
        roles = text(connection.rows("SELECT CURRENT_ROLE()", task)[0][0])
        if "@" in roles:
            statement = f"SHOW GRANTS FOR CURRENT_USER() USING {roles}"
    except faults.LostError:
        raise
    except faults.StatementError:
        # A server without roles does not know the function.
        pass
    return [text(row[0]) for row in connection.rows(statement, task)] + _lines_of_all(connection)


def _lines_of_all(connection: Connection) -> list[str]:
    """What MariaDB grants to every account; other servers have no such thing."""
    try:
        rows = connection.rows("SHOW GRANTS FOR PUBLIC", "asking for everybody's rights")
    except faults.LostError:
        raise
    except faults.StatementError:
        return []
    return [text(row[0]) for row in rows]


def _parse(line: str) -> _Grant | None:
    """None for what is no right on a scope."""
    match = _GRANT.match(line)
    if match is None:
        return None
    parts = (part.partition("(")[0] for part in _RIGHT.findall(match["rights"]))
    rights = frozenset(part.strip().upper() for part in parts)
    scope = match["scope"]
    if scope == "*.*":
        return _Grant(rights, None, None)
    database, table = re.findall(rf"{_NAME}|\*", scope)
    name = None if table == "*" else _unquote(table)
    return _Grant(rights, _unquote(database), name, is_taken=match["verb"] == "REVOKE")


def _unquote(name: str) -> str:
    return name[1:-1].replace("``", "`")


def _pattern(text_: str) -> re.Pattern[str]:
    parts = re.findall(r"\\.|.", text_, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(p) or re.escape(p[-1]) for p in parts), re.DOTALL)
