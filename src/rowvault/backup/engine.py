"""Takes a snapshot: one moment of a live server, as blocks and trees in a repository."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from rowvault import __version__
from rowvault.backup.vanished import Vanished, find_vanished, notices, omission
from rowvault.codec.compression import DEFAULT_LEVEL
from rowvault.codec.rendering import RENDERER_VERSION
from rowvault.core.errors import DamageError, StorageError, UnsupportedFormatError
from rowvault.core.model import ConsistencyPoint, ObjectKind, ServerInfo
from rowvault.core.monitor import Monitor
from rowvault.core.omission import not_carried, texts_of
from rowvault.repository import (
    ManifestWriter,
    ParentTables,
    Repository,
    Selected,
    Snapshot,
    SnapshotDraft,
    SnapshotSelection,
    SourceDecision,
    Sources,
    TreeRoot,
)
from rowvault.repository.dry_session import DrySession
from rowvault.repository.session import WriteSession
from rowvault.scan.pace import Gate, Pace
from rowvault.scan.workers import ScanResult, scan_tables
from rowvault.source.protocol import Catalogue, Selection, Source, SourceSnapshot


class LoadLimit(msgspec.Struct, frozen=True):
    """A figure of the server's own, and how high it may be while a backup reads."""

    variable: str
    most: float


class BackupRequest(msgspec.Struct, frozen=True):
    """What to back up, and how."""

    selection: Selection = msgspec.field(default_factory=Selection)
    workers: int = 2
    """Connections that read at once."""
    tags: tuple[str, ...] = ()
    most_bytes_per_s: float | None = None
    """Raw bytes, over all connections together; None: no bound."""
    pause_when: LoadLimit | None = None
    """Reading pauses while the server is that busy."""
    dry_run: bool = False
    """Read, cut and hash everything, but store nothing."""
    level: int = DEFAULT_LEVEL
    """Of zstd, or NO_COMPRESSION, for what this run adds."""
    source: str | None = None
    """The name of the source; None: the default one, see `Sources`."""


class WorkerRead(msgspec.Struct, frozen=True):
    """What one connection read, and how long it was at it."""

    rows: int
    seconds: float


class BackupResult(msgspec.Struct, frozen=True):
    """What a backup did. Sizes in bytes."""

    snapshot: str | None
    """None after a dry run."""
    parent: str | None
    source: str
    """The name of the source that the snapshot belongs to."""
    tables: int
    accounts: int
    """Users and roles."""
    rows: int
    raw_bytes: int
    blocks: int
    new_blocks: int
    stored_bytes: int
    """Growth of the repository's files by this run."""
    seconds: float
    waited_seconds: float
    """So long the connections waited, all together, because a throttle made them."""
    workers: tuple[WorkerRead, ...]
    moment: ConsistencyPoint
    """How the one moment was taken, and where it lies in the server's history."""
    warnings: tuple[str, ...]
    """What was left out, by name; the snapshot holds everything else."""
    missing: tuple[str, ...]
    """Those of the warnings that make the snapshot incomplete: about rows or objects."""
    notices: tuple[str, ...]
    """What one may not expect, and is not left out: tables that are gone from the server, another
    server under the source's name."""
    damage: tuple[str, ...] = ()
    """How the repository's other snapshots are not those that must be there."""


def run_backup(
    repository: Repository, source: Source, request: BackupRequest, monitor: Monitor
) -> BackupResult:
    """Reads one moment of the source into the repository and commits it.

    Nothing appears as a snapshot unless all of it was stored. Raises SourceError, StorageError.
    """
    return run_backup_into(lambda: repository, source, request, monitor)


def run_backup_into(
    opened: Callable[[], Repository], source: Source, request: BackupRequest, monitor: Monitor
) -> BackupResult:
    """The same; `opened` gives the repository, and is called when the catalogue has been read.

    So the server is at work while a key is still being derived. Raises what `opened` raises, too.
    """
    started = time.monotonic()
    monitor.phase("connecting")
    with source.open_snapshot(request.workers, request.selection) as view:
        taken_at = datetime.now(UTC)
        catalogue = view.catalogue(request.selection)
        repository = opened()
        snapshots = repository.snapshots()
        decision, parent = _find_source(snapshots, view.server, request, monitor)
        with _begin(repository, request, parent, monitor) as session:
            parent = _still_there(parent, session, monitor)
            vanished = _look_for_vanished(repository, parent, catalogue, view.server, request)
            told = notices(parent, vanished, catalogue)
            for message in (*texts_of(catalogue.omissions), *told):
                monitor.warning(message)
            pace = _pace(view, request)
            parents = None if parent is None else repository.parent_tables(parent, monitor)
            scan = _read(view, catalogue, session, repository, monitor, pace, parents)
            session.end_data()
            view.confirm(catalogue)
            manifest = _write_manifest(session, catalogue, scan, monitor)
            draft = _draft(taken_at, parent, view, manifest, scan, request, catalogue, started)
            draft = msgspec.structs.replace(draft, unseen=vanished.unseen, source=decision.source)
            snapshot = session.commit(draft, request.tags)
    stats = session.stats
    return BackupResult(
        snapshot=None if snapshot is None else snapshot.id,
        parent=None if parent is None else parent.id,
        source=decision.source.name,
        tables=len(scan.tables),
        accounts=sum(one.kind in (ObjectKind.ROLE, ObjectKind.USER) for one in catalogue.objects),
        rows=draft.rows,
        raw_bytes=draft.raw_bytes,
        blocks=stats.blocks,
        new_blocks=stats.new_blocks,
        stored_bytes=stats.stored_bytes,
        seconds=time.monotonic() - started,
        waited_seconds=pace.waited_s,
        workers=tuple(WorkerRead(one.rows, one.seconds) for one in scan.workers),
        moment=view.moment,
        warnings=draft.warnings,
        missing=draft.lacks,
        notices=(*decision.notices, *told),
    )


def find_parent(snapshots: Iterable[Snapshot], selection: Selection) -> Snapshot | None:
    """The newest snapshot of the same selection, out of those of one source."""
    wanted = _without_users(_selection(selection))
    found = [one for one in snapshots if _without_users(one.selection) == wanted]
    return found[-1] if found else None


def _find_source(
    snapshots: Sequence[Snapshot], server: ServerInfo, request: BackupRequest, monitor: Monitor
) -> tuple[SourceDecision, Snapshot | None]:
    """The source that the server is, and its snapshot that the run builds on."""
    sources = Sources(snapshots, server)
    decision = sources.decide(server, request.source)
    for notice in decision.notices:
        monitor.warning(notice)
    own = [one for one in snapshots if sources.name_of(one) == decision.source.name]
    return decision, find_parent(own, request.selection)


def _begin(
    repository: Repository, request: BackupRequest, parent: Snapshot | None, monitor: Monitor
) -> WriteSession | DrySession:
    begin = repository.begin_dry_run if request.dry_run else repository.begin
    return begin("backup", monitor, request.level, None if parent is None else parent.id)


def _still_there(
    parent: Snapshot | None, session: WriteSession | DrySession, monitor: Monitor
) -> Snapshot | None:
    """The parent, unless it was forgotten between its being found and the run's beginning."""
    if parent is None or session.parent == parent.id:
        return parent
    monitor.warning(
        f"snapshot {parent.id}, the one before this, was forgotten just now: rows that have "
        "changed since are stored whole"
    )
    return None


def _look_for_vanished(
    repository: Repository,
    parent: Snapshot | None,
    catalogue: Catalogue,
    server: ServerInfo,
    request: BackupRequest,
) -> Vanished:
    """Adds what is out of the account's sight to the omissions."""
    if parent is None:
        return Vanished()
    selected = Selected(_selection(request.selection), server.vendor)
    try:
        found = find_vanished(parent, repository.manifest(parent), catalogue, selected)
    except (DamageError, StorageError, UnsupportedFormatError) as error:
        catalogue.omissions.append(
            not_carried(
                f"whether tables vanished since snapshot {parent.id} is not known, because what it "
                f"holds cannot be read: {error}"
            )
        )
        return Vanished(unseen=parent.unseen)
    if found.unseen:
        catalogue.omissions.append(omission(parent, found, catalogue.grants))
    return found


def _read(
    view: SourceSnapshot,
    catalogue: Catalogue,
    session: WriteSession | DrySession,
    repository: Repository,
    monitor: Monitor,
    pace: Pace,
    parents: ParentTables | None,
) -> ScanResult:
    view.inspect_values()
    monitor.phase("reading", sum(table.estimated_rows for table in catalogue.tables))
    return scan_tables(view, catalogue.tables, session, repository, monitor, pace, parents)


def _pace(view: SourceSnapshot, request: BackupRequest) -> Pace:
    limit = request.pause_when
    gate = None if limit is None else Gate(view.load(limit.variable), limit.most)
    return Pace(request.most_bytes_per_s, gate)


def _write_manifest(
    session: WriteSession | DrySession, catalogue: Catalogue, scan: ScanResult, monitor: Monitor
) -> TreeRoot:
    monitor.phase("committing")
    writer = ManifestWriter(session)
    for definition in catalogue.objects:
        writer.add_object(definition)
    for table in scan.tables:
        writer.add_table(table.definition, table.root, table.row_sum, RENDERER_VERSION)
    return writer.finish()


def _draft(
    taken_at: datetime,
    parent: Snapshot | None,
    view: SourceSnapshot,
    manifest: TreeRoot,
    scan: ScanResult,
    request: BackupRequest,
    catalogue: Catalogue,
    started: float,
) -> SnapshotDraft:
    return SnapshotDraft(
        time=taken_at,
        parent=None if parent is None else parent.id,
        server=view.server,
        moment=view.moment,
        manifest=manifest,
        tables=len(scan.tables),
        rows=sum(table.root.sums.rows for table in scan.tables),
        raw_bytes=sum(table.root.sums.raw_bytes for table in scan.tables),
        seconds=time.monotonic() - started,
        selection=_selection(request.selection),
        warnings=tuple(texts_of(catalogue.omissions)),
        missing=tuple(texts_of(one for one in catalogue.omissions if one.is_missing)),
        grants=catalogue.grants,
        tool_version=__version__,
    )


def _without_users(selection: SnapshotSelection) -> SnapshotSelection:
    """Of which tables it is: users have no rows that a later snapshot could share."""
    return msgspec.structs.replace(selection, users=False)


def _selection(selection: Selection) -> SnapshotSelection:
    return SnapshotSelection(
        databases=selection.databases,
        tables=selection.tables,
        excludes=selection.excludes,
        users=selection.users,
    )
