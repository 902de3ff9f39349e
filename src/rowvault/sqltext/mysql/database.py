"""CREATE DATABASE, which must not mind a database that is there already."""

from __future__ import annotations

import re

from rowvault.core.model import ObjectDefinition
from rowvault.sqltext.quoting import encode_name, identifier

_CREATE = re.compile(rb"CREATE DATABASE `(?:[^`]|``)*`")


def create_database(definition: ObjectDefinition) -> bytes:
    """The statement under the definition's name, doing nothing where the database exists.

    Raises ValueError where the stored statement does not create a database.
    """
    head = encode_name(f"CREATE DATABASE IF NOT EXISTS {identifier(definition.name)}")
    options, count = _CREATE.subn(lambda _: head, definition.statement, count=1)
    if not count:
        raise ValueError(f"{definition.label}: its statement does not create a database")
    return options
