"""What the account may see, as far as its grants say so.

Without some rights the server shows less instead of refusing: triggers that are not listed would
be lost in silence. So what cannot be seen is told.
"""

from __future__ import annotations

import re

import msgspec

from rowvault.source.mysql import faults
from rowvault.source.mysql.connection import Connection, text

_NAME = r"(?:`(?:[^`]|``)*`|\"(?:[^\"]|\"\")*\")"
_GRANT = re.compile(
    rf"GRANT (?P<rights>.+?) ON (?P<scope>\*\.\*|{_NAME}\.(?:\*|{_NAME})) TO ", re.DOTALL
)


class _Grant(msgspec.Struct, frozen=True):
    rights: frozenset[str]
    database: str | None
    """None: everywhere. Otherwise a pattern with `%`, `_` and a backslash that escapes them."""
    table: str | None
    """None: all of the database."""

    def covers(self, database: str) -> bool:
        return self.database is None or bool(_pattern(self.database).fullmatch(database))


class Rights:
    """The account's grants."""

    def __init__(self, connection: Connection) -> None:
        self._grants = [grant for line in _lines(connection) if (grant := _parse(line)) is not None]

    def sees_databases(self) -> bool:
        """Whether databases show on which the account has no right of its own."""
        return any(grant.database is None and grant.rights - {"USAGE"} for grant in self._grants)

    def sees_tables(self, database: str) -> bool:
        """Whether tables of the database show on which the account has no right of its own."""
        return any(
            grant.table is None and grant.covers(database) and grant.rights - {"USAGE"}
            for grant in self._grants
        )

    def has(self, right: str, database: str) -> bool:
        """Whether the right holds for the whole database."""
        return any(
            grant.table is None
            and grant.covers(database)
            and ({right, "ALL PRIVILEGES", "ALL"} & grant.rights)
            for grant in self._grants
        )

    def has_somewhere(self, right: str, database: str) -> bool:
        """Whether the right holds for the database or for something in it."""
        return any(
            grant.covers(database) and {right, "ALL PRIVILEGES", "ALL"} & grant.rights
            for grant in self._grants
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
    match = _GRANT.match(line)
    if match is None:
        return None
    rights = frozenset(part.strip().upper() for part in match["rights"].split(","))
    scope = match["scope"]
    if scope == "*.*":
        return _Grant(rights, None, None)
    database, table = re.findall(rf"{_NAME}|\*", scope)
    return _Grant(rights, _unquote(database), None if table == "*" else _unquote(table))


def _unquote(name: str) -> str:
    return name[1:-1].replace("``", "`")


def _pattern(text_: str) -> re.Pattern[str]:
    parts = re.findall(r"\\.|.", text_, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(p) or re.escape(p[-1]) for p in parts), re.DOTALL)
