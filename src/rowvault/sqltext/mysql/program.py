"""Stored programs as text for the stock clients, which read statements up to a delimiter."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.sqltext.mysql.session_marks import OWN_COLLATION, is_broken
from rowvault.sqltext.mysql.view_stub import ViewStub, view_stubs
from rowvault.sqltext.quoting import encode_name, identifier, mysql_string

_MARIADB = "mariadb"
_PROCEDURE = b"`rowvault makes a view`"
_SETTINGS = ("sql_mode", "time_zone")
_CHARSETS = ("character_set_client", "collation_connection")
_COMMENTS = (b"/*", b"--", b"#")
_LINE_COMMENTS = (b"--", b"#")
_TOKEN = re.compile(
    rb"""'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`[^`]*`|--\s[^\n]*|\#[^\n]*"""
    rb"""|/\*(?![!+]).*?\*/(?P<touching>\S)?""",
    re.DOTALL,
)
"""Strings and comments; `touching` stands right behind a comment."""
_HIDING_CHARSETS = frozenset({"big5", "cp932", "gb18030", "gbk", "sjis"})
"""The second byte of a character may be a backslash."""
_UTF8_CLIENTS = frozenset({"", "utf8mb4", "utf8mb3", "utf8"})


def framed_program(definition: ObjectDefinition, vendor: str) -> bytes:
    """The statement in its session, then the script's session again; its database is in use."""
    wanted = dict(definition.session)
    if is_broken(definition) and not _has_view_stubs(definition, vendor):
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
    if is_broken(definition):
        statement = _with_view_stubs(definition, vendor, charset)
    else:
        statement = _framed(definition.statement, vendor, charset)
    framed = encode_name("".join(lines)) + statement + encode_name("".join(ends))
    if vendor != _MARIADB and _hides_marks(definition.statement, charset):
        # MySQL makes no program by EXECUTE, but its client can be told how to read the script.
        return encode_name(f"\\C {charset}\n") + framed + b"\\C utf8mb4\n"
    return framed


def shortcoming(definition: ObjectDefinition, vendor: str) -> str:
    """Why a client that loads the framed statement does not make it exactly, or ''."""
    if is_broken(definition) and not _has_view_stubs(definition, vendor):
        return (
            f"{definition.label} is broken, and no client makes it from a script: its text stands "
            "there as a comment. `rowvault restore` makes it."
        )
    touching = _TOKEN.finditer(definition.statement) if vendor != _MARIADB else ()
    if definition.kind is not ObjectKind.DATABASE and any(one["touching"] for one in touching):
        return (
            f"{definition.label}: the mysql client writes a space behind each comment that "
            "touches the next word. `rowvault restore` keeps it as it is."
        )
    return ""


def _commented(statement: bytes) -> bytes:
    lines = re.split(rb"[\r\n]+", statement)
    return b"".join(b"-- %b\n" % line for line in (b"Invalid at the source:", *lines))


def _has_view_stubs(definition: ObjectDefinition, vendor: str) -> bool:
    """No block drops a function; the script does, if it is one of the database that it has made."""
    functions = [one for one in view_stubs(definition, vendor) if one.kind == b"FUNCTION"]
    return not any(b"`.`" in one.name for one in functions)


def _with_view_stubs(definition: ObjectDefinition, vendor: str, charset: str) -> bytes:
    """Makes what the view reads, then the view, and drops the former again.

    A script sees no error; a block does, and MySQL has blocks in procedures alone.
    """
    needed = view_stubs(definition, vendor)
    functions = [one for one in needed if one.kind == b"FUNCTION"]
    block = _block(definition, [one for one in needed if one not in functions], charset)
    delimiter = next(mark for mark in _delimiters() if mark not in block)
    head, call = b"BEGIN NOT ATOMIC\n", b""
    if vendor != _MARIADB:
        head = b"CREATE PROCEDURE %b()\nBEGIN\n" % _PROCEDURE
        call = b"CALL %b();\nDROP PROCEDURE %b;\n" % (_PROCEDURE, _PROCEDURE)
    return b"".join(
        (
            *(one.make + b";\n" for one in functions),
            b"DELIMITER %b\n%b%b\nDELIMITER ;\n" % (delimiter, head + block, delimiter),
            call,
            *(one.drop + b";\n" for one in functions),
        )
    )


def _block(definition: ObjectDefinition, needed: Sequence[ViewStub], charset: str) -> bytes:
    """Where the view cannot be made, a line says so, and only what the block made is dropped."""
    label = mysql_string(f"{definition.label} is broken, and could not be made")
    undo = (
        b" IF made > %d THEN %b; END IF;\n" % (number, one.drop)
        for number, one in reversed(list(enumerate(needed)))
    )
    return b"".join(
        (
            b"DECLARE made INT DEFAULT 0;\n",
            b"DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN\n",
            b" GET DIAGNOSTICS CONDITION 1 @rowvault_reason = MESSAGE_TEXT;\n",
            *undo,
            encode_name(f" SELECT {label} AS warning, @rowvault_reason AS reason;\nEND;\n"),
            *(b"%b; SET made = made + 1;\n" % one.make for one in needed),
            b"SET @rowvault_view = %b;\n" % _literal(definition.statement, charset),
            b"PREPARE rowvault_view FROM @rowvault_view;\nEXECUTE rowvault_view;\n",
            b"DEALLOCATE PREPARE rowvault_view;\n",
            *(b"%b;\n" % one.drop for one in reversed(needed)),
            b"END",
        )
    )


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
    last_line = statement.rpartition(b"\n")[2]
    if any(mark in last_line for mark in _LINE_COMMENTS):
        # On the same line the delimiter would be part of the comment.
        delimiter_in_place = b"\n" + delimiter
    else:
        delimiter_in_place = delimiter
    return b"DELIMITER %b\n%b%b\nDELIMITER ;\n" % (delimiter, statement, delimiter_in_place)


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
