"""SQLite behind the source protocol: one file, one database called `main`."""

from rowvault.source.sqlite.snapshot import SqliteSnapshot, SqliteSource
from rowvault.source.sqlite.target import SqliteTarget

__all__ = ["SqliteSnapshot", "SqliteSource", "SqliteTarget"]
