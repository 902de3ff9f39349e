"""Stand-ins: for a moment, what a broken view refers to.

A server makes a view only where all that it reads is there, but keeps one whose tables, columns or
functions are gone. Its text tells their names: every table behind `from` or `join`, every column
with its table in front of it. Tables and functions of these names let the view be made; then they
are dropped, and the view is as broken as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from rowvault.core.model import ObjectDefinition

_NAME = rb"`(?:[^`]|``)*`"
_STRING = re.compile(rb"'(?:[^'\\]|\\.|'')*'|(%b)" % _NAME, re.DOTALL)
_READ = re.compile(
    rb"\b(?:from|join)\s[\s(]*(?P<quoted>(?:%b\.)?(?P<name>%b))"
    rb"(?:\s+for system_time[^`]*?)?(?:\s+(?P<alias>%b))?" % (_NAME, _NAME, _NAME),
    re.IGNORECASE,
)
_BODY = re.compile(rb"\bVIEW %b(?:\.%b)?(?: \([^()]*\))? AS " % (_NAME, _NAME))
_CHAIN = re.compile(rb"(?:%b\.)*%b(?P<call>\()?" % (_NAME, _NAME))
_PART = re.compile(_NAME)
_MARK = re.compile(rb"%b|[(),]" % _NAME)
_MARIADB = "mariadb"
_COLUMN = b" VARCHAR(1) CHARACTER SET utf8mb4"


class ViewStub(msgspec.Struct, frozen=True):
    """Something to be made before a view and dropped behind it, in the charset of the view."""

    kind: bytes
    """DATABASE, TABLE, VIEW or FUNCTION."""
    name: bytes
    """Its quoted name, with its database in front where the view has that."""
    body: bytes = b""

    @property
    def make(self) -> bytes:
        """The statement that makes it, and fails where there is something of this name."""
        return b"CREATE %b %b%b" % (self.kind, self.name, self.body)

    @property
    def drop(self) -> bytes:
        """The statement that removes it."""
        return b"DROP %b %b" % (self.kind, self.name)


def view_stubs(view: ObjectDefinition, vendor: str) -> list[ViewStub]:
    """All that the view refers to, in an order in which it can be made."""
    text = _STRING.sub(lambda found: found[1] or b"''", view.statement)
    # In front of it stand the definer and the view's own name.
    text = text[match.end() :] if (match := _BODY.search(text)) else text
    found = [*_tables(text, vendor), *_functions(text)]
    parts = [_PART.findall(one.name) for one in found]
    databases = dict.fromkeys(names[0] for names in parts if len(names) > 1)
    return [*(ViewStub(b"DATABASE", name) for name in databases), *found]


def _tables(text: bytes, vendor: str) -> Iterator[ViewStub]:
    names: dict[bytes, set[bytes]] = {}
    for match in _READ.finditer(text):
        known = names.setdefault(match["quoted"], set())
        known.add(match["alias"] or match["name"])
    chains = [_PART.findall(match[0]) for match in _CHAIN.finditer(text) if not match["call"]]
    for quoted_name, known in names.items():
        used = [chain for chain in chains if len(chain) > 1 and chain[-2] in known]
        # Names of columns do not tell upper from lower case.
        columns = list({chain[-1].lower(): chain[-1] for chain in used}.values()) or [b"`none`"]
        own_name = known == {_PART.findall(quoted_name)[-1]}
        is_plain = own_name and used and all(len(chain) == 2 for chain in used)
        if vendor == _MARIADB and is_plain:
            # MariaDB writes the database in front of a table's columns, not of a view's.
            listed = b", ".join(b"'' AS " + name for name in columns)
            yield ViewStub(b"VIEW", quoted_name, b" AS SELECT " + listed)
        else:
            listed = b", ".join(name + _COLUMN for name in columns)
            yield ViewStub(b"TABLE", quoted_name, b" (%b)" % listed)


def _functions(text: bytes) -> Iterator[ViewStub]:
    counts: dict[bytes, int] = {}
    for match in _CHAIN.finditer(text):
        if match["call"]:
            counts.setdefault(match[0][:-1], _count_arguments(text, match.end()))
    for quoted_name, count in counts.items():
        parameters = b", ".join(b"p%d TEXT" % number for number in range(count))
        yield ViewStub(
            b"FUNCTION",
            quoted_name,
            b"(%b) RETURNS TEXT DETERMINISTIC NO SQL RETURN NULL" % parameters,
        )


def _count_arguments(text: bytes, start: int) -> int:
    """Of a call whose parenthesis opens in front of `start`."""
    depth, count = 1, 1
    for mark in _MARK.finditer(text, start):
        if mark[0] == b",":
            count += depth == 1
        elif mark[0] == b"(":
            depth += 1
        elif mark[0] == b")":
            depth -= 1
            if depth == 0:
                return count if text[start : mark.start()].strip() else 0
    return count
