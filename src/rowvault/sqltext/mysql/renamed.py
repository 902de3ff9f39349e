"""Stored statements with other names in them.

MySQL and MariaDB write the definitions of tables and views themselves, every name in backticks; so
names are found by tokens. Stored programs are the user's own text, and only a trigger's head, in
front of FOR EACH ROW, must be changed. SQLite keeps the user's text behind CREATE TABLE.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from rowvault.core.errors import UsageError
from rowvault.sqltext.quoting import encode_name, identifier

NewName = Callable[[str, str], tuple[str, str]]
"""(database, table) -> where it goes."""

_QUOTED = rb"`(?:[^`]|``)*`"
_STRING = rb"'(?:[^'\\]|\\.|'')*'"
_REFERENCE = re.compile(
    rb"%b|(?P<lead>\b(?:from|join|references|nextval|lastval|setval)[\s(]+)?"
    rb"(?P<chain>%b(?:\.%b)*)(?P<call>\()?" % (_STRING, _QUOTED, _QUOTED),
    re.IGNORECASE | re.DOTALL,
)
_NAME = re.compile(_QUOTED)
_CREATED = re.compile(
    rb"(?P<head>CREATE [A-Z ]*(?:/\*![^*]*\*/ ?)*)"
    rb"(?P<name>%b|\"(?:[^\"]|\"\")*\"|\[[^\]]*\]|'(?:[^']|'')*'|[^\s(`\"\['/]+)" % _QUOTED
)
_HEAD_END = re.compile(rb"\bFOR\s+EACH\s+ROW\b", re.IGNORECASE)


def rename_created(statement: bytes, old: str, new: str) -> bytes:
    """Replaces the name behind CREATE ... and in the names that the server gave its constraints.

    Raises UsageError where another name stands there.
    """
    match = _CREATED.match(statement)
    if match is None or _unquoted(match["name"]).lower() != old.lower():
        raise UsageError(f"{old} cannot be renamed: its definition does not begin with its name")
    rest = statement[match.end() :]
    own = re.compile(
        rb"%b|CONSTRAINT `%b(_(?:ibfk|chk)_\d+`)" % (_STRING, re.escape(_inner(old))), re.DOTALL
    )
    rest = own.sub(
        lambda found: b"CONSTRAINT `%b%b" % (_inner(new), found[1]) if found[1] else found[0], rest
    )
    return match["head"] + b"`%b`" % _inner(new) + rest


def rename_names(statement: bytes, old: str, new: str, new_name: NewName) -> bytes:
    """A table's or view's definition that moves from database `old` to `new`, its references too.

    Tables behind REFERENCES get their new name; elsewhere only the database is another one.
    """

    def renamed(match: re.Match[bytes]) -> bytes:
        if match["chain"] is None:
            return match[0]
        lead, parts = (
            match["lead"] or b"",
            [_unquoted(one) for one in _NAME.findall(match["chain"])],
        )
        if lead[:10].lower() == b"references":
            database, table = new_name(*(parts if len(parts) == 2 else (old, parts[0])))
            parts = [table] if database == new else [database, table]
        elif len(parts) == 3 or (len(parts) == 2 and (lead or match["call"])):
            # A table's name in front of a column's may be that of a database.
            parts[0] = new_name(parts[0], "")[0]
        names = b".".join(encode_name(identifier(part)) for part in parts)
        return lead + names + (match["call"] or b"")

    return _REFERENCE.sub(renamed, statement)


def rename_trigger(statement: bytes, old: str, new: str) -> bytes:
    """A trigger whose head may name its database, in backticks or bare, twice."""
    end = _HEAD_END.search(statement)
    head = statement[: end.start()] if end else statement
    token = _qualifier(old)
    changed = token.sub(
        lambda match: encode_name(identifier(new)) + b"." if match["name"] else match[0], head
    )
    return changed + statement[len(head) :]


def names_database(statement: bytes, database: str) -> bool:
    """Whether a program's text has the name in front of a dot, outside of strings."""
    return any(match["name"] for match in _qualifier(database).finditer(statement))


def _qualifier(database: str) -> re.Pattern[bytes]:
    bare = re.escape(encode_name(database))
    return re.compile(
        rb"%b|(?P<name>(?<![\w$.`])(?:`%b`|%b)\s*\.\s*(?=[\w$`\x80-\xff]))|%b"
        % (_STRING, re.escape(_inner(database)), bare, _QUOTED),
        re.DOTALL,
    )


def _inner(name: str) -> bytes:
    return encode_name(name.replace("`", "``"))


def _unquoted(name: bytes) -> str:
    text = name.decode("utf-8", "surrogateescape")
    if text[0] in "`\"'":
        return text[1:-1].replace(text[0] * 2, text[0])
    return text[1:-1] if text[0] == "[" else text
