"""Names of databases and tables as they are typed: `DB`, `DB.TABLE`, and the odd ones."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from rowvault.core.errors import UsageError

NAMING_HELP = (
    "A name with a dot, a percent sign or a backtick is written in backticks (`my.db`.`t`, a "
    "backtick inside doubled) or percent-encoded (my%2Edb.t)."
)

_QUOTED = re.compile(r"`((?:[^`]|``)+)`")
_RENAME = re.compile(r"((?:`(?:[^`]|``)*`|[^`=])+)=((?:`(?:[^`]|``)*`|[^`=])+)", re.DOTALL)
_PLAIN = re.compile(r"[^`.]+")


def parse_name(text: str) -> tuple[str, str | None]:
    """(database, table or None) of `DB` or `DB.TABLE`. Raises UsageError."""
    parts = _split(text)
    if len(parts) == 1:
        return parts[0], None
    if len(parts) == 2:
        return parts[0], parts[1]
    raise UsageError(f"{text!r} has too many dots for DB.TABLE. {NAMING_HELP}")


def parse_table(text: str) -> tuple[str, str]:
    """(database, table) of `DB.TABLE`. Raises UsageError."""
    database, table = parse_name(text)
    if table is None:
        raise UsageError(f"{text!r} is not of the form DB.TABLE. {NAMING_HELP}")
    return database, table


def parse_database(text: str) -> str:
    """The name of a database, dots and all. Raises UsageError."""
    if text.startswith("`"):
        parts = _split(text)
        if len(parts) != 1:
            raise UsageError(f"{text!r} is not the name of a database. {NAMING_HELP}")
        return parts[0]
    return _plain(text, text)


def parse_rename(text: str) -> tuple[tuple[str, str | None], tuple[str, str | None]]:
    """(old, new) of `OLD=NEW`, each `DB` or `DB.TABLE` as `parse_name` has it. Raises UsageError.

    A name with an equals sign is written in backticks or percent-encoded.
    """
    match = _RENAME.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is not of the form OLD=NEW")
    before, after = parse_name(match[1]), parse_name(match[2])
    if (before[1] is None) != (after[1] is None):
        raise UsageError(f"{text!r}: give a database on both sides, or DB.TABLE on both")
    return before, after


def _split(text: str) -> list[str]:
    """The dot-separated parts of a name, unquoted."""
    parts: list[str] = []
    position = 0
    while True:
        if quoted := _QUOTED.match(text, position):
            parts.append(quoted[1].replace("``", "`"))
            position = quoted.end()
        elif plain := _PLAIN.match(text, position):
            parts.append(_plain(plain[0], text))
            position = plain.end()
        else:
            raise UsageError(f"{text!r} is not a name. {NAMING_HELP}")
        if position == len(text):
            return parts
        if text[position] != ".":
            raise UsageError(f"{text!r} is not a name. {NAMING_HELP}")
        position += 1


def _plain(part: str, text: str) -> str:
    """A part without backticks, its percent-encoding undone."""
    if not part or re.search(r"%(?![0-9A-Fa-f]{2})", part):
        raise UsageError(f"{text!r} is not a name. {NAMING_HELP}")
    try:
        return unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        raise UsageError(f"{text!r} does not decode to UTF-8. {NAMING_HELP}") from None
