"""Stored programs as text for the stock clients, which read statements up to a delimiter."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from rowvault.core.model import ObjectDefinition
from rowvault.sqltext.quoting import encode_name, identifier, mysql_string

INVALID = "invalid"
"""In an object's session: the source could not make it either; what it refers to is gone."""

OWN_COLLATION = "own_collation"
"""In an object's session: its database's collation, where the object was made under another one."""

_MARIADB = "mariadb"
_SETTINGS = ("sql_mode", "time_zone")
_CHARSETS = ("character_set_client", "collation_connection")
_COMMENTS = (b"/*", b"--", b"#")
_HIDING_CHARSETS = frozenset({"big5", "cp932", "gb18030", "gbk", "sjis"})
"""The second byte of a character may be a backslash."""
_UTF8_CLIENTS = frozenset({"", "utf8mb4", "utf8mb3", "utf8"})


def framed_program(definition: ObjectDefinition, vendor: str) -> bytes:
    """The statement in its session, then the script's session again; its database is in use."""
    wanted = dict(definition.session)
    if INVALID in wanted:
        return _commented(definition.statement)
    settings = {"sql_mode": ""} | {name: wanted[name] for name in _SETTINGS if name in wanted}
    own_collation = wanted.get(OWN_COLLATION, "")
    lines = [f"SET @rowvault_object_{name} = @@SESSION.{name};\n" for name in settings]
    if own_collation:
        lines.append(_alter_collation(definition.database, wanted["collation_database"]))
    lines += [f"SET SESSION {name} = {mysql_string(settings[name])};\n" for name in settings]
    lines += [f"SET {name} = {wanted[name]};\n" for name in _CHARSETS if name in wanted]
    ends = ["SET NAMES utf8mb4;\n"]
    ends += [f"SET SESSION {name} = @rowvault_object_{name};\n" for name in settings]
    if own_collation:
        ends.append(_alter_collation(definition.database, own_collation))
    charset = wanted.get("character_set_client", "").lower()
    statement = _framed(definition.statement, vendor, charset)
    framed = encode_name("".join(lines)) + statement + encode_name("".join(ends))
    if vendor != _MARIADB and _hides_marks(definition.statement, charset):
        # MySQL makes no program by EXECUTE, but its client can be told how to read the script.
        return encode_name(f"\\C {charset}\n") + framed + b"\\C utf8mb4\n"
    return framed


def _commented(statement: bytes) -> bytes:
    lines = re.split(rb"[\r\n]+", statement)
    return b"".join(b"-- %b\n" % line for line in (b"Invalid at the source:", *lines))


def _alter_collation(database: str, collation: str) -> str:
    return f"ALTER DATABASE {identifier(database)} COLLATE {collation};\n"


def _framed(statement: bytes, vendor: str, charset: str) -> bytes:
    is_commented = any(mark in statement for mark in _COMMENTS)
    is_altered = is_commented or b"\r" in statement or _hides_marks(statement, charset)
    if vendor == _MARIADB and is_altered:
        # MariaDB's client takes comments out of what it sends, unless they stand in a string, and
        # carriage returns at the end of a line even there.
        return b"EXECUTE IMMEDIATE " + _literal(statement, charset) + b";\n"
    delimiter = next(mark for mark in _delimiters() if mark not in statement)
    return b"DELIMITER %b\n%b%b\nDELIMITER ;\n" % (delimiter, statement, delimiter)


def _hides_marks(statement: bytes, charset: str) -> bool:
    """A client that reads the script in another charset takes part of a character for a mark."""
    return charset in _HIDING_CHARSETS and not statement.isascii()


def _literal(statement: bytes, charset: str) -> bytes:
    # Only doubled quotes mean the same under every sql_mode, and only ASCII or UTF-8 has no
    # character that hides a quote.
    legible = charset in _UTF8_CLIENTS or statement.isascii()
    if legible and not any(mark in statement for mark in (b"\\", b"\0", b"\r")):
        return b"'" + statement.replace(b"'", b"''") + b"'"
    return b"X'" + statement.hex().upper().encode() + b"'"


def _delimiters() -> Iterator[bytes]:
    yield b";;"
    yield b"$$"
    for number in itertools.count(1):
        yield b"$$%d$$" % number
