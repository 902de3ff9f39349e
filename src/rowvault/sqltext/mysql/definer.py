"""The definer in CREATE VIEW, TRIGGER, PROCEDURE, ..., as MySQL and MariaDB write it.

Both write the head of such a statement themselves: `CREATE`, for a view its algorithm, and the
definer right behind it. Nothing further on is looked at: a body may say DEFINER= as it likes.
"""

from __future__ import annotations

import re

import msgspec

from rowvault.core.model import ObjectDefinition
from rowvault.sqltext.mysql.account import user_name
from rowvault.sqltext.quoting import encode_name, identifier

_QUOTED = rb"(?:`(?:[^`]|``)*`|\"(?:[^\"]|\"\")*\")"
_HEAD = re.compile(
    rb"(?P<lead>CREATE (?:ALGORITHM=\w+ )?DEFINER=)(?P<user>%b)(?:@(?P<host>%b))?(?= )"
    % (_QUOTED, _QUOTED)
)
_HIDING_CHARSETS = frozenset({"big5", "cp932", "gb18030", "gbk", "sjis"})
"""The second byte of a character may be a quote."""


class Definer(msgspec.Struct, frozen=True, order=True):
    """Who an object's statements run as."""

    user: str
    host: str | None
    """None: a role of MariaDB, which has no host."""

    @property
    def quoted(self) -> str:
        """As SQL has it; the host in lower case, as servers keep it."""
        if self.host is None:
            return identifier(self.user)
        return user_name(self.user, self.host.lower())

    def __str__(self) -> str:
        return self.user if self.host is None else f"{self.user}@{self.host}"


def definer_of(definition: ObjectDefinition) -> Definer | None:
    """The definer of an object; None where its statement names none, or not legibly."""
    match = _match(definition)
    if match is None:
        return None
    host = match["host"]
    return Definer(_unquoted(match["user"]), None if host is None else _unquoted(host))


def with_definer(definition: ObjectDefinition, definer: Definer) -> ObjectDefinition:
    """The object with another definer; as it was where it has none.

    Raises ValueError where the definer's name cannot be written into the statement.
    """
    match = _match(definition)
    if match is None:
        return definition
    names = [definer.user] if definer.host is None else [definer.user, definer.host]
    charset = _charset(definition)
    if not "".join(names).isascii() and not charset.startswith("utf8"):
        raise ValueError(f"{definition.label} is written in {charset}, which may lack a character")
    quote = match["user"][:1]
    written = b"@".join(
        quote + encode_name(name).replace(quote, quote * 2) + quote for name in names
    )
    statement = match["lead"] + written + definition.statement[match.end() :]
    return msgspec.structs.replace(definition, statement=statement)


def _match(definition: ObjectDefinition) -> re.Match[bytes] | None:
    match = _HEAD.match(definition.statement)
    if match and not match[0].isascii() and _charset(definition) in _HIDING_CHARSETS:
        return None
    return match


def _charset(definition: ObjectDefinition) -> str:
    return dict(definition.session).get("character_set_client", "utf8mb4").lower()


def _unquoted(name: bytes) -> str:
    quote = name[:1]
    return name[1:-1].replace(quote * 2, quote).decode("utf-8", "surrogateescape")
