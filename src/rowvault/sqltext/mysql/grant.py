"""Grants as MySQL and MariaDB show them: taken apart, and put together again.

Beside the rights, MariaDB writes how the user logs in (IDENTIFIED, REQUIRE) and its limits into the
line; sent again these would change the user. Columns come in no order that lasts.
"""

from __future__ import annotations

import re

import msgspec

from rowvault.core.model import ObjectDefinition, ObjectKind

_NAME = r"`(?:[^`]|``)*`"
_ACCOUNT = rf"(?:{_NAME}@{_NAME}|{_NAME}|PUBLIC)"
_LINE = re.compile(
    rf"(?P<verb>GRANT|REVOKE) (?P<rights>(?:[^`]|{_NAME})+?) ON (?:(?P<kind>[A-Z][A-Z ]*?) )?"
    rf"(?P<scope>\*\.\*|{_NAME}\.(?:\*|{_NAME})|{_NAME}@{_NAME}) "
    rf"(?:TO|FROM) (?P<grantee>{_ACCOUNT})(?P<rest>.*)",
    re.DOTALL,
)
_RIGHT = re.compile(
    rf"\s*(?P<right>[A-Za-z_][A-Za-z_ ]*?)\s*(?:\((?P<columns>(?:[^`)]|{_NAME})*)\))?\s*(?:,|$)"
)
_STRING = re.compile(r"'(?:[^'\\]|\\.|'')*'", re.DOTALL)
_PROXY = "PROXY"
_NOTHING = "USAGE"
EVERYWHERE = "*.*"


class Grant(msgspec.Struct, frozen=True):
    """One line of SHOW GRANTS, without what is not a right."""

    verb: str
    """`GRANT`, or `REVOKE` where MySQL takes a database out of a global right."""
    rights: tuple[str, ...]
    """With their columns, `INSERT (`a`, `b`)`, in alphabetical order."""
    kind: str
    """`PROCEDURE`, `FUNCTION`, ...; empty: a database, a table, everything."""
    scope: str
    """As SQL: `*.*`, a database's pattern and `.*`, a qualified name, or the user of a PROXY."""
    grantee: str
    with_option: bool
    """It may be granted on."""

    @property
    def database(self) -> str | None:
        """The database's pattern, or its name where one thing in it is meant; None: no database."""
        if self.scope == EVERYWHERE or self.rights == (_PROXY,):
            return None
        return unquoted(self._parts()[0])

    @property
    def name(self) -> str | None:
        """The table or routine; None: no single one."""
        if self.database is None:
            return None
        part = self._parts()[1]
        return None if part == "*" else unquoted(part)

    @property
    def place(self) -> str:
        """What it is on, for the name of the grant: unique among the grants of one grantee."""
        if self.verb == "REVOKE":
            return f"not on {self.scope}"
        if self.rights == (_PROXY,):
            return f"as proxy of {self.scope}"
        words = [f"on {self.kind.lower()}" if self.kind else "on", self.scope]
        if self.scope == EVERYWHERE and any("_" in right for right in self.rights):
            # MySQL's dynamic rights: those that may be granted on are listed apart.
            words.append("dynamic")
            words += ["with grant option"] if self.with_option else []
        return " ".join(words)

    @property
    def is_empty(self) -> bool:
        """It says only that the grantee exists."""
        return self.rights == (_NOTHING,) and not self.with_option

    @property
    def statement(self) -> str:
        """It, as SQL."""
        link = "FROM" if self.verb == "REVOKE" else "TO"
        words = [self.verb, ", ".join(self.rights), "ON", self.kind, self.scope, link, self.grantee]
        words += ["WITH GRANT OPTION"] if self.with_option else []
        return " ".join(word for word in words if word)

    def _parts(self) -> list[str]:
        return re.findall(rf"{_NAME}|\*", self.scope)


def parse_grant(line: str) -> Grant | None:
    """A right of SHOW GRANTS; None for a role, a default role, and what is no grant."""
    match = _LINE.fullmatch(line)
    if match is None or match["rights"].startswith("`"):
        return None
    rest = _STRING.sub("''", match["rest"])
    return Grant(
        verb=match["verb"],
        rights=tuple(sorted(_right(one) for one in _RIGHT.finditer(match["rights"]) if one[0])),
        kind="" if match["kind"] in (None, "TABLE") else match["kind"],
        scope=match["scope"],
        grantee=match["grantee"],
        with_option=bool(re.search(r"\bGRANT OPTION\b", rest)),
    )


def is_right(line: str) -> bool:
    """Whether a line of SHOW GRANTS gives or takes a right: all others name roles."""
    return bool(re.match("GRANT [A-Z]|REVOKE ", line))


def right_of(definition: ObjectDefinition) -> Grant | None:
    """The right that a stored grant gives; None for roles, and for what is no grant."""
    if definition.kind is not ObjectKind.GRANT:
        return None
    return parse_grant(definition.statement.decode("utf-8", "surrogateescape"))


def unquoted(name: str) -> str:
    """A name without its backticks."""
    return name[1:-1].replace("``", "`")


def database_pattern(database: str) -> str:
    """The pattern that fits this database alone, see `fits_database`."""
    return re.sub(r"([\\_%])", r"\\\1", database)


def literal_database(pattern: str) -> str | None:
    """The one database that a pattern fits; None where it has wildcards."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    if any(part in ("_", "%") for part in parts):
        return None
    return "".join(part[-1] for part in parts)


def fits_database(pattern: str, database: str) -> bool:
    """Whether a grant on a database's pattern (`%`, `_`, a backslash escapes them) is on it."""
    wild = {"%": ".*", "_": "."}
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    text = "".join(wild.get(part) or re.escape(part[-1]) for part in parts)
    return bool(re.fullmatch(text, database, re.DOTALL))


def _right(match: re.Match[str]) -> str:
    if match["columns"] is None:
        return match["right"]
    columns = sorted(re.findall(_NAME, match["columns"]))
    return f"{match['right']} ({', '.join(columns)})"
