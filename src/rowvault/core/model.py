"""What a database is made of, as far as a snapshot keeps it."""

from __future__ import annotations

import enum

import msgspec


class ValueKind(enum.IntEnum):
    """How the wire bytes of one column become a literal. The numbers are stored."""

    NUMBER = 1
    """The bytes are the literal: integers, decimals, floats as doubles, years."""
    TEXT = 2
    """Characters in utf8mb4: quoted and escaped. Temporals and ENUM and SET members too."""
    BYTES = 3
    """Any bytes: X'hex', behind the column's introducer where there is one."""
    DYNAMIC = 4
    """SQLite: each value carries its storage class as its first byte (see codec.rows)."""


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """One stored column; generated columns are not stored."""

    name: str
    type: str
    """The column's type in the server's own words, for people and for comparisons."""
    kind: ValueKind
    introducer: str = ""
    """For BYTES that hold text of a charset: that charset's introducer, such as `_cp932`."""


class TableDefinition(msgspec.Struct, frozen=True):
    """A table as its snapshot knows it."""

    database: str
    name: str
    columns: tuple[Column, ...]
    """In ordinal order; a row holds exactly these values."""
    key: tuple[int, ...]
    """Indices into `columns`, in key order, of a key that is unique and not null; empty: none."""
    key_is_ordered: bool
    """The order of the key is known without the server (integers, decimals, temporals, binary)."""
    statement: bytes
    """The CREATE TABLE statement, as the server gives it."""
    session: tuple[tuple[str, str], ...] = ()
    """Session variables under which the statement means what it meant."""
    engine: str = ""

    @property
    def label(self) -> str:
        """`database.table`, for messages."""
        return f"{self.database}.{self.name}" if self.database else self.name


class ObjectKind(enum.StrEnum):
    """What a stored statement makes. The values are stored; their order is the creation order."""

    DATABASE = "database"
    SEQUENCE = "sequence"
    TABLE = "table"
    INDEX = "index"
    FUNCTION = "function"
    PROCEDURE = "procedure"
    PACKAGE = "package"
    PACKAGE_BODY = "package body"
    VIEW = "view"
    TRIGGER = "trigger"
    EVENT = "event"
    ROLE = "role"
    USER = "user"
    PASSWORD = "password"
    """What ALTER USER adds to a user: another password, or when it expires."""
    GRANT = "grant"
    """A right, a role or a default role that a user or role holds."""


ACCOUNT_KINDS = (ObjectKind.ROLE, ObjectKind.USER, ObjectKind.PASSWORD, ObjectKind.GRANT)
"""Users, roles, grants: they belong to no database, which is empty in their definitions. The
name of a user or role is quoted as SQL has it; it is the parent of its passwords and grants."""


SYSTEM_DATABASES = frozenset({"information_schema", "performance_schema", "mysql", "sys"})
"""A server's own, which are read only where they are named."""


class ObjectDefinition(msgspec.Struct, frozen=True):
    """Everything that is not a table: one statement, byte for byte, and the session it needs."""

    kind: ObjectKind
    database: str
    name: str
    statement: bytes
    """Sent to the server as one statement."""
    session: tuple[tuple[str, str], ...] = ()
    """sql_mode, character_set_client, collation_connection, time_zone, ... where they matter."""
    parent: str = ""
    """The table that a trigger or an index belongs to; the user or role of a password or grant."""
    order: int = 0
    """Triggers of one table, event and time fire in this order; passwords and grants are sent in
    it."""

    @property
    def label(self) -> str:
        """`kind database.name`, for messages; a database and a user have only a name."""
        if not self.database or self.kind is ObjectKind.DATABASE:
            return f"{self.kind} {self.name}"
        return f"{self.kind} {self.database}.{self.name}"


class ServerInfo(msgspec.Struct, frozen=True):
    """Which server a snapshot was read from."""

    vendor: str
    """`mariadb`, `mysql` or `sqlite`."""
    version: str
    server_id: str
    """A name that stays the same for this server: its uuid, or host, port and data directory."""
    url: str
    """Where it was reached, without a password."""
    settings: tuple[tuple[str, str], ...] = ()
    """Global settings that say how its data reads: lower_case_table_names, time_zone, ..."""
    name: str = ""
    """What its source is called by default, see core.source_name; empty in older snapshots."""


class ConsistencyPoint(msgspec.Struct, frozen=True):
    """How one consistent state was taken, and where it lies in the server's own history."""

    method: str
    """`binlog position`, `cloned transactions`, `backup stage`, `read lock`, `table locks`,
    `equal positions`, `one connection`, `transaction` (SQLite)."""
    reason: str = ""
    """Why not a better method; empty when it is the best."""
    binlog_file: str = ""
    """Empty: the position is not known."""
    binlog_position: int = 0
    gtid: str = ""
    definitions: str = ""
    """How tables were kept from being swapped, altered or truncated meanwhile: `backup stage`,
    `instance lock`, `metadata locks`, `compared` (found, not kept away), `unguarded`."""
    definitions_reason: str = ""
    """Why not in a better way; empty when it is the best."""
