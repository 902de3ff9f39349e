"""Small repositories, filled without any server: rows in, rows out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import repeat
from pathlib import Path

from rowvault.codec.chunker import Cutter
from rowvault.codec.layout import RowLayout
from rowvault.codec.rows import decode_row, encode_batch
from rowvault.core.model import (
    Column,
    ConsistencyPoint,
    ObjectDefinition,
    ObjectKind,
    ServerInfo,
    TableDefinition,
    ValueKind,
)
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.config import CutSizes, NodeSizes, Sizes
from rowvault.repository.crypto.key_slot import Argon2Parameters
from rowvault.repository.records.snapshot import Snapshot, SnapshotDraft
from rowvault.repository.repository import Repository
from rowvault.repository.session import Session
from rowvault.repository.trees.manifest import ManifestWriter
from rowvault.repository.trees.node import LeafEntry
from rowvault.repository.trees.parent_walk import ParentTable
from rowvault.repository.trees.tree import TreeRoot, TreeWriter
from rowvault.storage import LocalStorage, Storage

Row = tuple[bytes, ...]
Tables = Mapping[tuple[str, str], Sequence[Row]]

SMALL = Sizes(
    data=CutSizes(64, 256, 1024),
    manifest=CutSizes(256, 1024, 4096),
    node=NodeSizes(2, 4, 8),
    pack_bytes=4096,
)
"""So small that a few rows make several packs and a tree of several levels."""

MIDDLING = Sizes(
    data=CutSizes(512, 2048, 8192),
    manifest=CutSizes(256, 1024, 4096),
    node=NodeSizes(2, 4, 8),
    pack_bytes=1 << 14,
)
"""Blocks of dozens of rows, so that one changed row leaves most of its block as it was."""

CHEAP = Argon2Parameters(memory_kib=64, passes=1, lanes=1)
"""Passwords that cost no time; never for a real repository."""

SERVER = ServerInfo("mysql", "9.7.0", "server-1", "mysql://root@localhost:3306/")
FIRST_TIME = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def table_definition(database: str, name: str, column_count: int = 2) -> TableDefinition:
    """A table of an integer key and a text, and perhaps more texts."""
    more = (Column(f"text {n}", "varchar(200)", ValueKind.TEXT) for n in range(2, column_count))
    return TableDefinition(
        database=database,
        name=name,
        columns=(
            Column("id", "int", ValueKind.NUMBER),
            Column("text", "varchar(200)", ValueKind.TEXT),
            *more,
        ),
        key=(0,),
        key_is_ordered=True,
        statement=f"CREATE TABLE `{name}` (`id` int, `text` varchar(200))".encode(),
    )


def sample_rows(count: int, *, salt: str = "", step: int = 1) -> list[Row]:
    """Rows whose texts differ and do not compress to nothing."""
    return [
        (str(number * step).encode(), sha256(f"{salt}{number}".encode()).hexdigest().encode())
        for number in range(1, count + 1)
    ]


def put_table(
    session: Session,
    repository: Repository,
    rows: Iterable[Row],
    parent: ParentTable | None = None,
    by_column: bool = True,
    column_count: int = 2,
) -> TreeRoot:
    """Cuts the rows and stores their blocks and tree; with a parent, as deltas where that saves."""
    layout = RowLayout.of(table_definition("", "", column_count))
    cutter = Cutter(layout, repository.cut_rule)
    tree = TreeWriter(session.put_node, repository.node_rule)
    walk = None if parent is None else parent.walk()
    for block in [*cutter.feed(encode_batch(rows)), *cutter.finish()]:
        if walk is not None:
            walk.step(block.first_key, len(block.raw))
        tree.add(
            LeafEntry(
                block.first_key,
                session.put_data(
                    block.raw,
                    layout.column_count if by_column and not block.fragment else 0,
                    None if walk is None else walk.blocks,
                ),
                len(block.raw),
                block.row_count,
                block.rendered_bytes,
                block.fragment,
            )
        )
    return tree.finish()


def put_all(
    session: Session,
    repository: Repository,
    tables: Tables,
    number: int,
    accounts: Iterable[ObjectDefinition] = (),
    parent: Snapshot | None = None,
) -> SnapshotDraft:
    """Everything of a snapshot but its commit; tables named `as rows` not by column."""
    manifest = ManifestWriter(session)
    for database in sorted({database for database, _ in tables}):
        statement = f"CREATE DATABASE `{database}`".encode()
        manifest.add_object(ObjectDefinition(ObjectKind.DATABASE, database, database, statement))
    for account in accounts:
        manifest.add_object(account)
    definitions = [
        table_definition(database, name, len(rows[0]) if rows else 2)
        for (database, name), rows in tables.items()
    ]
    earlier: Iterable[ParentTable | None] = repeat(None, len(definitions))
    if parent is not None:
        earlier = repository.parent_tables(parent, SilentMonitor()).match(definitions)
    for definition, before in zip(definitions, earlier, strict=True):
        rows = tables[definition.database, definition.name]
        by_column = definition.name != "as rows"
        root = put_table(session, repository, rows, before, by_column, len(definition.columns))
        manifest.add_table(definition, root, bytes(32), 1)
    return SnapshotDraft(
        time=FIRST_TIME + timedelta(hours=number, microseconds=number),
        parent=None if parent is None else parent.id,
        server=SERVER,
        moment=ConsistencyPoint("binlog position", binlog_file="binlog.000001", binlog_position=4),
        manifest=manifest.finish(),
        tables=len(tables),
        rows=sum(len(rows) for rows in tables.values()),
        raw_bytes=0,
        seconds=1.5,
        tool_version="test",
    )


def take_snapshot(
    repository: Repository,
    tables: Tables,
    number: int = 0,
    tags: Iterable[str] = (),
    accounts: Iterable[ObjectDefinition] = (),
    parent: Snapshot | None = None,
) -> Snapshot:
    """A snapshot of these rows, `number` hours after the first one."""
    parent_id = None if parent is None else parent.id
    with repository.begin("test", SilentMonitor(), parent=parent_id) as session:
        draft = put_all(session, repository, tables, number, accounts, parent)
        return session.commit(draft, tags)


def take_at_once(
    repository: Repository, tables: Sequence[Tables], levels: Sequence[int], number: int = 0
) -> list[Snapshot]:
    """Snapshots of runs none of which saw what the others stored; `levels` are zstd's."""
    with ExitStack() as stack:
        sessions = [
            stack.enter_context(repository.begin("test", SilentMonitor(), level))
            for level in levels
        ]
        drafts = [
            put_all(session, repository, one, number + place)
            for place, (session, one) in enumerate(zip(sessions, tables, strict=True))
        ]
        return [session.commit(draft) for session, draft in zip(sessions, drafts, strict=True)]


def read_table(repository: Repository, root: TreeRoot, column_count: int = 2) -> list[Row]:
    """All rows of a tree; every block is verified on the way."""
    raw = b"".join(repository.read_data(entry.id) for entry in repository.tree(root).entries())
    rows: list[Row] = []
    position = 0
    while position < len(raw):
        values, position = decode_row(raw, position, column_count)
        rows.append(tuple(value for value in values if value is not None))
    return rows


def read_snapshot(repository: Repository, snapshot: Snapshot) -> dict[tuple[str, str], list[Row]]:
    """All rows of a snapshot."""
    return {
        (record.definition.database, record.definition.name): read_table(
            repository, record.root, len(record.definition.columns)
        )
        for record in repository.manifest(snapshot).tables()
    }


def create_cheap(place: Path, password: bytes) -> None:
    """An encrypted repository of the usual sizes, as `init` makes it, whose password is cheap."""
    Repository.create(LocalStorage(place), password, cost=CHEAP).close()


def open_plain(storage: Storage) -> Repository:
    """Opens a repository that is not encrypted."""

    def no_password() -> bytes:
        raise AssertionError("a repository in clear asks for no password")

    return Repository.open(storage, no_password)
