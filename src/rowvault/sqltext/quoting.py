"""Names and strings as SQL text."""

from __future__ import annotations

_BACKSLASHED = {
    ord("\0"): "\\0",
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\x1a"): "\\Z",
    ord("\\"): "\\\\",
    ord("'"): "\\'",
}


def identifier(name: str) -> str:
    """A MySQL name in backticks. SQLite reads it too."""
    return "`" + name.replace("`", "``") + "`"


def qualified(database: str | None, name: str) -> str:
    """`database`.`name`; the name alone where there is no database."""
    return f"{identifier(database)}.{identifier(name)}" if database else identifier(name)


def mysql_string(text: str) -> str:
    """A MySQL string literal; it means the text unless sql_mode has NO_BACKSLASH_ESCAPES."""
    return f"'{text.translate(_BACKSLASHED)}'"


def sqlite_identifier(name: str) -> str:
    """An SQLite name in double quotes, as the SQL standard has it."""
    return '"' + name.replace('"', '""') + '"'


def sqlite_string(text: str) -> str:
    """An SQLite string literal. Raises ValueError for a NUL, which no SQLite literal can hold."""
    if "\0" in text:
        raise ValueError("an SQLite string literal cannot hold a NUL character")
    return "'" + text.replace("'", "''") + "'"


def encode_name(text: str) -> bytes:
    """UTF-8; bytes that were not UTF-8 when the name was read come back as they were."""
    return text.encode("utf-8", "surrogateescape")
