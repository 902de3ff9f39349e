"""What belongs to a user or role: its definition, its passwords, its grants."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.sqltext.mysql.account import account_of, before_objects

_DIGEST = re.compile(rb" AS 0x[0-9A-F]+")

Parts = dict[str, ObjectDefinition]
"""A user or role and all that belongs to it, by label."""


def grouped(definitions: Iterable[ObjectDefinition]) -> dict[str, Parts]:
    """User or role -> its parts."""
    groups: dict[str, Parts] = {}
    for one in definitions:
        groups.setdefault(account_of(one), {})[one.label] = one
    return groups


def holds(found: Parts, wanted: ObjectDefinition) -> bool:
    """Whether it is among the parts, with the same statement."""
    one = found.get(wanted.label)
    return one is not None and one.statement == wanted.statement


def given_role(definition: ObjectDefinition) -> str:
    """The role, or the user of a proxy, that a grant gives."""
    for link in (" role ", " as proxy of "):
        if definition.kind is ObjectKind.GRANT and definition.name.startswith(
            definition.parent + link
        ):
            return definition.name[len(definition.parent + link) :]
    return ""


def rights_of(parts: Parts) -> Parts:
    """The grants alone."""
    return {label: one for label, one in parts.items() if one.kind is ObjectKind.GRANT}


def login_of(parts: Parts) -> list[bytes]:
    """The statements that make the user, in their order."""
    return [one.statement for one in before_objects(parts.values())]


def current_login(parts: Parts) -> tuple[bytes, list[bytes]]:
    """What the user's definition comes to, without its former passwords."""
    statements = login_of(parts)
    digests = [digest for one in statements for digest in _DIGEST.findall(one)]
    return (_DIGEST.sub(b"", statements[0]) if statements else b"", digests[-1:])
