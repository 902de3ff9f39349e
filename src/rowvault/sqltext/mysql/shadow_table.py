"""A table that is made beside the one that it replaces, and takes its place when its rows are in.

Names of foreign keys are unique in a database, on MySQL those of CHECK constraints too, so the new
table cannot have them while the old one stands. Names that a server gives, `t_ibfk_1` and
`t_chk_1`, follow the table when it is renamed, on both vendors; all others are given back behind
the rename.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Container, Sequence

import msgspec

from rowvault.core.model import ObjectDefinition, TableDefinition
from rowvault.sqltext.mysql.create_table import CreateTable, Element, ElementKind
from rowvault.sqltext.mysql.renamed import rename_names
from rowvault.sqltext.quoting import encode_name, identifier, qualified

NEW, OLD = "_rowvault_new_", "_rowvault_old_"
"""How the names of tables begin that only a restore makes."""

Name = tuple[str, str]
"""(database, table)"""

_LONGEST = 64
"""Characters of a name (both manuals, "Identifier Length Limits")."""
_SHOWN_CHARACTERS = 26
"""Of the table's own name: with what servers add for constraints it stays within 64."""
_NAME = re.compile(rb"`(?:[^`]|``)*`")


def shadow_name(prefix: str, database: str, name: str) -> str:
    """The same name for the same table each time; `prefix` is NEW or OLD."""
    shown = re.sub(r"[^a-z0-9_]", "", name.lower())[:_SHOWN_CHARACTERS]
    digest = hashlib.sha256(encode_name(f"{database}\0{name}")).hexdigest()[:8]
    return f"{prefix}{shown}_{digest}"


class ShadowTable(msgspec.Struct, frozen=True):
    """How one table is made beside another, and what is left to do when it has its own name."""

    final: TableDefinition
    loading: TableDefinition
    """Under the other name and without foreign keys."""
    add_references: bytes
    """ALTER TABLE, in front of the rename; empty: there is nothing to add."""
    settle: bytes
    """ALTER TABLE, behind the rename: foreign keys get their names. Empty: they have them."""
    add_late: bytes
    """ALTER TABLE that adds what refers to tables that are made last; empty: nothing."""

    @classmethod
    def of(
        cls,
        table: TableDefinition,
        new_name: Callable[[str, str], Name],
        late: Container[Name],
        *,
        token: str = "",
        renames_checks: bool = False,
        is_trial: bool = False,
    ) -> ShadowTable | None:
        """None: its definition is not one that can be taken apart.

        `new_name` says under which name a table that is referred to stands before the rename,
        `late` holds those that are made last. `token`, up to 6 characters, sets names of
        constraints apart from those of another run. `renames_checks`: names of CHECK constraints
        are unique in a database; those that people gave are changed in a trial alone, since no
        server changes them back.
        """
        parsed = CreateTable.parse(table.statement)
        if parsed is None or not parsed.head.startswith(b"CREATE TABLE `"):
            return None
        other = shadow_name(NEW, table.database, table.name)
        references = [one for one in parsed.elements if one.kind is ElementKind.FOREIGN_KEY]
        early = [one for one in references if parent_of(table, one) not in late]
        behind = [one for one in references if parent_of(table, one) in late]
        named = [(one, _name_before(table, one, f"{at}{token}")) for at, one in enumerate(early)]
        return cls(
            table,
            msgspec.structs.replace(
                table,
                name=other,
                statement=_statement(table, parsed, other, renames_checks, is_trial),
            ),
            _alter(
                table.database, other,
                [
                    b"ADD " + _named(
                        rename_names(one.text, table.database, table.database, new_name),
                        name,
                    )
                    for one, name in named
                ],
            ),
            _settle(table, named),
            _alter(table.database, table.name, [b"ADD " + one.text for one in behind]),
        )  # fmt: skip


def by_detour(table: TableDefinition) -> ShadowTable | None:
    """How a table is made that has a name of a constraint which no statement may state.

    For a table with a long name beyond ASCII, MariaDB itself makes a `t_ibfk_1` of more than 64
    characters, and takes it along in a rename. None: it can be made as it is.
    """
    if b"_ibfk_" not in table.statement:
        return None
    parsed = CreateTable.parse(table.statement)
    if parsed is None or all(len(constraint_name(one)) <= _LONGEST for one in parsed.elements):
        return None
    own, other = (table.database, table.name), shadow_name(NEW, table.database, table.name)
    return ShadowTable.of(
        table, lambda *name: (name[0], other) if name == own else name, frozenset()
    )


def shadow_sequence(sequence: ObjectDefinition) -> ObjectDefinition:
    """A sequence under another name, with its value."""
    other = shadow_name(NEW, sequence.database, sequence.name)
    own = encode_name(identifier(sequence.name))
    statement = _NAME.sub(
        lambda found: encode_name(identifier(other)) if found[0] == own else found[0],
        sequence.statement,
    )
    return msgspec.structs.replace(sequence, name=other, statement=statement)


def constraint_name(element: Element) -> str:
    """Of a CONSTRAINT with a name; '' where it has none."""
    if element.tokens[:1] != (b"CONSTRAINT",):
        return ""
    return _unquoted(element.tokens[1])


def renamed_constraint(element: Element, name: str) -> bytes:
    """The same constraint under another name."""
    return _named(element.text, name)


def is_given_by_server(table: TableDefinition, element: Element) -> bool:
    """The server made the name from the table's, and takes it along when the table is renamed."""
    own = re.escape(table.name) + r"_(?:ibfk|chk)_\d+"
    return re.fullmatch(own, constraint_name(element)) is not None


def parent_of(table: TableDefinition, reference: Element) -> Name:
    """(database, table) that a foreign key refers to."""
    tokens = reference.tokens
    at = tokens.index(b"REFERENCES") + 1
    first = _unquoted(tokens[at])
    if tokens[at + 1 : at + 2] == (b".",):
        return first, _unquoted(tokens[at + 2])
    return table.database, first


def _statement(
    table: TableDefinition, parsed: CreateTable, other: str, renames_checks: bool, is_trial: bool
) -> bytes:
    kept = []
    for at, one in enumerate(parsed.elements):
        if one.kind is ElementKind.FOREIGN_KEY:
            continue
        is_renamed = renames_checks and (is_trial or is_given_by_server(table, one))
        if is_renamed and one.kind is ElementKind.CHECK:
            kept.append(_named(one.text, _name_before(table, one, str(at))))
        else:
            kept.append(one.text)
    head = parsed.head.replace(
        encode_name(identifier(table.name)), encode_name(identifier(other)), 1
    )
    return head + b"\n  " + b",\n  ".join(kept) + b"\n" + parsed.tail


def _settle(table: TableDefinition, named: Sequence[tuple[Element, str]]) -> bytes:
    clauses: list[bytes] = []
    for one, name in named:
        if not is_given_by_server(table, one):
            clauses.append(b"DROP FOREIGN KEY " + encode_name(identifier(name)))
            clauses.append(b"ADD " + one.text)
    return _alter(table.database, table.name, clauses)


def _name_before(table: TableDefinition, element: Element, at: str) -> str:
    """The name of a constraint until its table has its own: the server follows the first kind."""
    other = shadow_name(NEW, table.database, table.name)
    name = constraint_name(element)
    if is_given_by_server(table, element):
        return other + name[len(table.name) :]
    return f"{other}_{at}"


def _named(text: bytes, name: str) -> bytes:
    """The constraint under another name."""
    return _NAME.sub(lambda _: encode_name(identifier(name)), text, count=1)


def _alter(database: str, name: str, clauses: Sequence[bytes]) -> bytes:
    if not clauses:
        return b""
    return b"ALTER TABLE " + encode_name(qualified(database, name)) + b" " + b", ".join(clauses)


def _unquoted(name: bytes) -> str:
    return name[1:-1].replace(b"``", b"`").decode("utf-8", "surrogateescape")
