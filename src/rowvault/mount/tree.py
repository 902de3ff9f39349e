"""What a mounted repository looks like: directories, files and links, whatever serves them.

/snapshots/<utc>-<id>/<database>/<table>.sql
                     /objects/<database>.sql
                     /all.sql
                     /snapshot.json
/latest -> snapshots/<utc>-<id>, where all snapshots are of one source; else
/sources/<source>/latest -> ../../snapshots/<utc>-<id>
/tags/<tag>/<utc>-<id> -> ../../snapshots/<utc>-<id>
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

from rowvault.core.errors import RowvaultError, SnapshotNotFoundError, UsageError
from rowvault.core.ids import SnapshotId
from rowvault.mount.length_cache import LengthCache
from rowvault.mount.names import file_name
from rowvault.mount.node import Directory, File, Node, SymbolicLink
from rowvault.mount.snapshot_text import EVERYTHING, Excerpt, SnapshotText
from rowvault.render.document import Document
from rowvault.repository import Repository, Snapshot, SnapshotListing, Sources, names
from rowvault.repository.absence import refuse_unexplained_absence, refuse_unexplained_emptiness

_log = logging.getLogger(__name__)

SNAPSHOTS = "snapshots"
TAGS = "tags"
LATEST = "latest"
SOURCES = "sources"
OBJECTS = "objects"
ALL = "all.sql"
DESCRIPTION = "snapshot.json"
SUFFIX = ".sql"
_BESIDE_DATABASES = frozenset({OBJECTS, ALL, DESCRIPTION})


class RepositoryDirectory:
    """The top of the whole repository."""

    changes = True

    def __init__(self, snapshots: MountedSnapshots) -> None:
        self._snapshots = snapshots

    @property
    def time(self) -> datetime:
        """Of the newest snapshot."""
        return self._snapshots.newest_time()

    def entries(self) -> Iterator[tuple[str, Node]]:
        """See Directory."""
        for name in (SNAPSHOTS, TAGS, LATEST, SOURCES):
            node = self.child(name)
            if node is not None:
                yield name, node

    def child(self, name: str) -> Node | None:
        """See Directory."""
        if name == SNAPSHOTS:
            return SnapshotsDirectory(self._snapshots)
        if name == TAGS:
            return TagsDirectory(self._snapshots)
        if name in (LATEST, SOURCES):
            sources = self._snapshots.sources()
            if name == SOURCES and len(sources) > 1:
                return SourcesDirectory(self._snapshots)
            if name == LATEST and len(sources) < 2:
                return self._snapshots.latest(None, f"{SNAPSHOTS}/")
        return None


class SourcesDirectory:
    """All sources; or one of them, which has a link to its latest snapshot."""

    changes = True

    def __init__(self, snapshots: MountedSnapshots, source: str | None = None) -> None:
        self._snapshots = snapshots
        self._source = source

    @property
    def time(self) -> datetime:
        """Of the newest snapshot."""
        return self._snapshots.newest_time()

    def entries(self) -> Iterator[tuple[str, Node]]:
        """See Directory."""
        if self._source is None:
            for source in self._snapshots.sources():
                yield file_name(source), SourcesDirectory(self._snapshots, source)
            return
        latest = self._snapshots.latest(self._source, f"../../{SNAPSHOTS}/")
        if latest is not None:
            yield LATEST, latest

    def child(self, name: str) -> Node | None:
        """See Directory."""
        return dict(self.entries()).get(name)


class SnapshotsDirectory:
    """All snapshots."""

    changes = True

    def __init__(self, snapshots: MountedSnapshots) -> None:
        self._snapshots = snapshots

    @property
    def time(self) -> datetime:
        """Of the newest snapshot."""
        return self._snapshots.newest_time()

    def entries(self) -> Iterator[tuple[str, Node]]:
        """See Directory."""
        for name, listing in self._snapshots.listed().items():
            yield name, self._directory(listing)

    def child(self, name: str) -> Node | None:
        """See Directory."""
        listing = self._snapshots.listed().get(name)
        return None if listing is None else self._directory(listing)

    def _directory(self, listing: SnapshotListing) -> Directory:
        if listing.snapshot is not None:
            return self._snapshots.directory(listing.snapshot)
        assert listing.damage is not None
        return UnreadableDirectory(listing.time, listing.damage)


class UnreadableDirectory:
    """A snapshot that is damaged: it keeps its place, and whoever looks into it is told why."""

    changes = True

    def __init__(self, time: datetime, damage: RowvaultError) -> None:
        self.time = time
        self._damage = damage

    def entries(self) -> Iterator[tuple[str, Node]]:
        """See Directory."""
        raise self._damage

    def child(self, name: str) -> Node | None:
        """See Directory."""
        raise self._damage


class TagsDirectory:
    """All tags; or one of them, whose entries are links to its snapshots."""

    changes = True

    def __init__(self, snapshots: MountedSnapshots, tag: str | None = None) -> None:
        self._snapshots = snapshots
        self._tag = tag

    @property
    def time(self) -> datetime:
        """Of the newest snapshot."""
        return self._snapshots.newest_time()

    def entries(self) -> Iterator[tuple[str, Node]]:
        """See Directory."""
        tags = self._snapshots.tags()
        if self._tag is None:
            for tag in sorted(tags):
                yield file_name(tag), TagsDirectory(self._snapshots, tag)
            return
        for name, listing in tags.get(self._tag, {}).items():
            yield name, SymbolicLink(listing.time, f"../../{SNAPSHOTS}/{name}")

    def child(self, name: str) -> Node | None:
        """See Directory."""
        return dict(self.entries()).get(name)


class SnapshotDirectory:
    """One snapshot: a directory for each database, and what spans them."""

    changes = False

    def __init__(self, text: SnapshotText) -> None:
        self._text = text
        self.time = text.snapshot.time

    def entries(self) -> Iterator[tuple[str, Node]]:
        """See Directory."""
        for database in self._text.databases():
            yield _database_name(database), DatabaseDirectory(self._text, database)
        for name in (OBJECTS, ALL, DESCRIPTION):
            node = self._spanning(name)
            assert node is not None
            yield name, node

    def child(self, name: str) -> Node | None:
        """See Directory."""
        spanning = self._spanning(name)
        if spanning is not None:
            return spanning
        # Most names are their own file names: those are looked up without listing the rest.
        if _database_name(name) == name and self._text.holds_database(name):
            return DatabaseDirectory(self._text, name)
        if "%" in name:
            for database in self._text.databases():
                if _database_name(database) == name:
                    return DatabaseDirectory(self._text, database)
        return None

    def _description(self) -> File:
        document = self._text.description()
        return File(self.time, document.length, lambda: document, self._description)

    def _spanning(self, name: str) -> Node | None:
        if name == OBJECTS:
            return ObjectsDirectory(self._text)
        if name == ALL:
            return File(self.time, self._text.everything_length(), self._text.everything)
        if name == DESCRIPTION:
            return self._description()
        return None


class DatabaseDirectory:
    """The tables of one database."""

    changes = False

    def __init__(self, text: SnapshotText, database: str) -> None:
        self._text = text
        self._database = database
        self.time = text.snapshot.time

    def entries(self) -> Iterator[tuple[str, Node]]:
        """See Directory."""
        for table, length in self._text.tables(self._database).items():
            yield file_name(table, SUFFIX), self._file(table, length)

    def child(self, name: str) -> Node | None:
        """See Directory."""
        table = self._text.table_of(self._database, name, SUFFIX)
        if table is None:
            return None
        return self._file(table, self._text.table_length(self._database, table))

    def _file(self, table: str, length: int) -> File:
        return File(self.time, length, lambda: self._text.table(self._database, table))


class ObjectsDirectory:
    """For each database one file of what is not a table."""

    changes = False

    def __init__(self, text: SnapshotText) -> None:
        self._text = text
        self.time = text.snapshot.time

    def entries(self) -> Iterator[tuple[str, Node]]:
        """See Directory."""
        for database in self._text.databases():
            yield file_name(database, SUFFIX), _file(self.time, self._text.objects(database))

    def child(self, name: str) -> Node | None:
        """See Directory."""
        plain = name.removesuffix(SUFFIX)
        if plain != name and file_name(plain, SUFFIX) == name and self._text.holds_database(plain):
            return _file(self.time, self._text.objects(plain))
        if "%" in name:
            for database in self._text.databases():
                if file_name(database, SUFFIX) == name:
                    return _file(self.time, self._text.objects(database))
        return None


class MountedSnapshots:
    """The snapshots and tags of a repository as they are now, and a directory for each.

    What is shown is what is mirrored: a snapshot that vanishes without having been forgotten is an
    error, and not a shorter list.
    """

    def __init__(self, repository: Repository, only: Excerpt = EVERYTHING) -> None:
        self._repository = repository
        self._only = only
        self._lengths = LengthCache()
        self._directories: dict[SnapshotId, SnapshotDirectory] = {}
        self._known: dict[str, SnapshotListing] = {}

    def listed(self) -> dict[str, SnapshotListing]:
        """All snapshots by the names of their directories, oldest first, the damaged ones too.

        Raises MissingError where some are missing, StorageError.
        """
        found = {
            names.snapshot(one.time, one.id).removeprefix(names.SNAPSHOTS): one
            for one in self._repository.listings()
        }
        if not found:
            refuse_unexplained_emptiness(self._repository)
        for gone in self._known.keys() - found.keys():
            snapshot = self._known[gone].snapshot
            if snapshot is not None:
                refuse_unexplained_absence(self._repository, snapshot)
        self._known = found
        kept = {one.id for one in found.values()}
        for directory in self._directories.keys() - kept:
            self._directories.pop(directory, None)
        return found

    def sources(self) -> list[str]:
        """The names of all sources, that with the oldest snapshot first."""
        listed = self.listed().values()
        return Sources(one.snapshot for one in listed if one.snapshot is not None).names

    def latest(self, source: str | None, above: str) -> SymbolicLink | None:
        """A link to what `latest` is of a source (None: of the only one), damaged or not.

        None where that is not clear.
        """
        if not self.listed():
            return None
        try:
            found = self._repository.latest(source)
        except (SnapshotNotFoundError, UsageError) as error:
            _log.warning("there is no link to the latest snapshot: %s", error)
            return None
        name = names.snapshot(found.time, found.id).removeprefix(names.SNAPSHOTS)
        return SymbolicLink(found.time, above + name)

    def tags(self) -> dict[str, dict[str, SnapshotListing]]:
        """Tag -> its snapshots by the names of their directories."""
        tagged: dict[str, dict[str, SnapshotListing]] = {}
        for name, listing in self.listed().items():
            for tag in self._repository.tags(listing.id):
                tagged.setdefault(tag, {})[name] = listing
        return tagged

    def newest_time(self) -> datetime:
        """Of the newest snapshot that was listed last; the epoch where there is none.

        Lists nothing: a directory is looked at also while the repository cannot be read, as by
        whoever unmounts it.
        """
        newest = list(self._known.values())[-1:]
        return newest[0].time if newest else datetime.fromtimestamp(0, UTC)

    def directory(self, snapshot: Snapshot) -> SnapshotDirectory:
        """The directory of a snapshot; the same one each time, with what it has found out."""
        known = self._directories.get(snapshot.id)
        if known is None:
            text = SnapshotText(self._repository, snapshot, self._only, self._lengths)
            known = SnapshotDirectory(text)
            known = self._directories.setdefault(snapshot.id, known)
        return known


def _database_name(database: str) -> str:
    return file_name(database, reserved=_BESIDE_DATABASES)


def _file(time: datetime, document: Document) -> File:
    return File(time, document.length, lambda: document)
