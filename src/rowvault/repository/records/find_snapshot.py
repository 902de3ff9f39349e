"""Which snapshot a person means: an id or its first digits, a tag, `latest`, a time.

What is not clear is refused with the choices; nothing is guessed among several sources.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rowvault.core.errors import AmbiguousSnapshotError, SnapshotNotFoundError, UsageError
from rowvault.core.instant import is_of_future
from rowvault.core.model import ServerInfo
from rowvault.core.zone import UTC_ZONE, Zone
from rowvault.repository import names
from rowvault.repository.records.selection import Name, covers, holds, selection_text
from rowvault.repository.records.snapshot import Snapshot, SnapshotListing, SnapshotSelection
from rowvault.repository.records.sources import Sources

SHORTEST_PREFIX = 4
"""Digits of an id: fewer are typed by mistake, and meet a stranger's snapshot too easily."""

_LATEST = re.compile(r"latest(?:~(\d{1,9}))?")
_BEFORE = re.compile(r"(.+)~(\d{1,9})", re.DOTALL)
_DIGITS = re.compile(r"[0-9a-f]{1,16}")
_STAMPED = re.compile(r"(\d{8}T\d{6}Z)-([0-9a-f]{1,16})")
_NEARLY_LATEST = re.compile(r"(?:latest|newest|last)?\s*[-~^+ ]\s*(\d{1,9})|latest(\d{1,9})", re.I)
_SHOWN = 10

Tags = Callable[[], Mapping[str, Sequence[Snapshot]]]
"""Gives the snapshots of each tag."""


@dataclass(frozen=True, slots=True)
class SnapshotRequest:
    """A snapshot as a person names it, and what else tells which one is meant."""

    text: str
    source: str | None = None
    """Only snapshots of this source."""
    changes: bool = False
    """Something is going to be changed: of several snapshots with a tag none is taken."""
    zone: Zone = UTC_ZONE
    wanted: tuple[Name, ...] = ()
    """Databases and tables that the snapshot must have been asked to hold."""
    live: ServerInfo | None = None
    """A server whose source is meant where no other one is named."""


@dataclass(frozen=True, slots=True)
class FoundSnapshot:
    """The snapshot that is meant."""

    snapshot: Snapshot
    source: str
    until: datetime | None = None
    """What a time was understood as: it is the newest snapshot at or before it."""
    last_whole: str = ""
    """Where an incomplete one was counted out, which one to take instead; in words."""
    notes: tuple[str, ...] = ()
    """What a person should know of the choice, one sentence each."""


class SnapshotFinder:
    """All snapshots, oldest first, and how they are found."""

    def __init__(
        self,
        listings: Sequence[SnapshotListing],
        tags: Tags,
        now: datetime,
        sources: Sources | None = None,
    ) -> None:
        """`sources`: of these snapshots and perhaps others."""
        self._listings = listings
        self._tags = tags
        self._now = now
        self._snapshots = [one.snapshot for one in listings if one.snapshot is not None]
        self._sources = sources or Sources(self._snapshots)

    def find(self, request: SnapshotRequest) -> FoundSnapshot:
        """The snapshot that is meant, out of all.

        Raises SnapshotNotFoundError, AmbiguousSnapshotError, UsageError, and the damage of the one
        that is meant.
        """
        if not self._listings:
            raise SnapshotNotFoundError("The repository holds no snapshot yet; `backup` makes one.")
        spec = request.text.strip()
        latest = _LATEST.fullmatch(spec)
        if latest:
            return self._counted_back(request, int(latest[1] or 0))
        if spec.startswith("@"):
            return self._at_or_before(request, spec)
        return self._named(request, spec)

    def latest(self, source: str | None) -> SnapshotListing:
        """What `latest` is of a source, damaged or not; None: of the only source."""
        return self._past(SnapshotRequest("latest", source))[0][-1]

    def _past(self, request: SnapshotRequest) -> tuple[list[SnapshotListing], list[str]]:
        """The series without what is of the future, and what to tell of it."""
        series, notes = self._series(request)
        past = [one for one in series if not is_of_future(one.time, self._now)]
        if past and len(past) < len(series):
            passed = ", ".join(_label(one, request) for one in series if one not in past)
            notes.append(f"passed over, because of a time in the future: {passed}")
        return past or series, notes

    def _counted_back(self, request: SnapshotRequest, steps: int) -> FoundSnapshot:
        counted, notes = self._past(request)
        if steps >= len(counted):
            raise SnapshotNotFoundError(self._too_few(request, counted, steps))
        return self._taken(counted[-1 - steps], counted, notes)

    def _too_few(
        self, request: SnapshotRequest, counted: Sequence[SnapshotListing], steps: int
    ) -> str:
        found = "is 1 snapshot" if len(counted) == 1 else f"are {len(counted)} snapshots"
        of = others = ""
        if len(counted) < len(self._listings) and (newest := counted[-1].snapshot) is not None:
            of = f" of {self._sources.name_of(newest)} ({selection_text(newest.selection)})"
            others = " Name another one by its id; `rowvault snapshots` lists them."
        return f"There {found}{of}, so none is {steps} before the latest.{others}"

    def _at_or_before(self, request: SnapshotRequest, spec: str) -> FoundSnapshot:
        try:
            time = request.zone.read(spec[1:])
        except ValueError:
            raise SnapshotNotFoundError(
                f"{spec!r} is not a time; write it like `@2026-11-20T10:00` or `@2026-11-20`."
            ) from None
        series, notes = self._series(request)
        # Times are shown to the second, so a snapshot of that second is meant too.
        found = [one for one in series if one.time.replace(microsecond=0) <= time]
        if not found:
            raise SnapshotNotFoundError(
                f"No snapshot is as old as {request.zone.text(time)} ({request.zone.name})."
            )
        return self._taken(found[-1], found, notes, time)

    def _taken(
        self,
        listing: SnapshotListing,
        series: Sequence[SnapshotListing],
        notes: list[str],
        until: datetime | None = None,
    ) -> FoundSnapshot:
        snapshot = _readable(listing)
        last = ""
        if not snapshot.is_whole:
            whole = [one for one in series if one.snapshot is not None and one.snapshot.is_whole]
            last = f"last whole: {whole[-1].id}" if whole else "no whole one of this selection"
        return FoundSnapshot(snapshot, self._sources.name_of(snapshot), until, last, tuple(notes))

    def _series(self, request: SnapshotRequest) -> tuple[list[SnapshotListing], list[str]]:
        """The snapshots of one source in which is counted, and what to tell of the others.

        Those that cannot be read may be of any source: each series has them.
        """
        source = self._one_source(request)
        members = [
            one
            for one in self._listings
            if one.snapshot is None or self._sources.name_of(one.snapshot) == source
        ]
        selections = {one.snapshot.selection for one in members if one.snapshot is not None}
        whole = {one for one in selections if all(covers(one, other) for other in selections)}
        if selections and not whole:
            raise self._unclear(
                request,
                f"The snapshots of {source} are of different databases or tables, and none is of "
                "all that the others are of",
                members,
            )
        if request.wanted and not any(holds(one, request.wanted) for one in whole):
            wanted = ", ".join(".".join(filter(None, name)) for name in request.wanted)
            raise self._unclear(
                request,
                f"`{request.text}` counts in the snapshots of {source} that are of the most, and "
                f"those were not asked to hold {wanted}",
                members,
            )
        series = [one for one in members if one.snapshot is None or one.snapshot.selection in whole]
        newer = members[members.index(series[-1]) + 1 :] if series else []
        return series, [
            f"{_label(one, request)} is newer, and holds only a part: "
            f"{selection_text(one.snapshot.selection)}"
            for one in newer[-1:]
            if one.snapshot is not None
        ]

    def _one_source(self, request: SnapshotRequest) -> str:
        known = self._sources.names
        if request.source is not None:
            self._sources.require(request.source)
            return request.source
        if request.live is not None:
            own = self._sources.known_as(request.live)
            known = own or known
        known = [name for name in known if name in self._here()] or known
        if len(known) > 1:
            newest = {self._sources.name_of(one): one for one in self._snapshots}
            listed = "\n".join(
                f"  {name}, the newest {newest[name].id} of {request.zone.text(newest[name].time)}"
                for name in known
                if name in newest
            )
            raise AmbiguousSnapshotError(
                f"`{request.text}` may mean a snapshot of {len(known)} sources:\n{listed}\n"
                "Say which by --source NAME, or name the snapshot by its id.",
                spec=request.text,
                sources=True,
                choices=tuple(known),
            )
        return known[0] if known else ""

    def _here(self) -> set[str]:
        return {self._sources.name_of(one) for one in self._snapshots}

    def _unclear(
        self, request: SnapshotRequest, why: str, members: Sequence[SnapshotListing]
    ) -> AmbiguousSnapshotError:
        newest: dict[SnapshotSelection, SnapshotListing] = {}
        for one in members:
            if one.snapshot is not None:
                newest[one.snapshot.selection] = one
        return _choice(request, f"{why}. The newest of each", list(newest.values()), self._sources)

    def _named(self, request: SnapshotRequest, spec: str) -> FoundSnapshot:
        found = self._answering(request.text) or self._answering(spec)
        steps = 0
        before = _BEFORE.fullmatch(spec)
        if before and not found:
            spec, steps = before[1], int(before[2])
            found = self._answering(spec)
        if not found:
            raise SnapshotNotFoundError(_refusal(spec))
        snapshot, notes = self._one_of(request, spec, found)
        if request.source is not None and self._sources.name_of(snapshot) != request.source:
            raise UsageError(
                f"Snapshot {snapshot.id} is of the source {self._sources.name_of(snapshot)}, not "
                f"of {request.source}."
            )
        if steps:
            snapshot = self._before(snapshot, steps)
        return FoundSnapshot(snapshot, self._sources.name_of(snapshot), notes=tuple(notes))

    def _answering(self, spec: str) -> dict[str, list[SnapshotListing]]:
        """Whose id, damaged or not, and whose tag this is, by `id` and `tag`."""
        found = {}
        stamped = _STAMPED.fullmatch(spec)
        prefix = stamped[2] if stamped else spec.lower()
        if _DIGITS.fullmatch(prefix) and len(prefix) >= SHORTEST_PREFIX:
            met = [
                one
                for one in self._listings
                if one.id.startswith(prefix)
                and (not stamped or names.stamp(one.time) == stamped[1])
            ]
            if met:
                found["id"] = met
        tagged = self._tags().get(spec, ())
        if tagged:
            found["tag"] = [one for one in self._listings if one.snapshot in tagged]
        return found

    def _one_of(
        self, request: SnapshotRequest, spec: str, found: Mapping[str, list[SnapshotListing]]
    ) -> tuple[Snapshot, list[str]]:
        by_id, by_tag = found.get("id", []), found.get("tag", [])
        if by_id and by_tag and by_id != by_tag:
            raise _choice(
                request,
                f"`{spec}` is the beginning of an id and a tag, too",
                [*by_id, *(one for one in by_tag if one not in by_id)],
                self._sources,
            )
        if len(by_id) > 1:
            raise _choice(
                request, f"{len(by_id)} snapshots start with {spec}; add digits", by_id,
                self._sources,
            )  # fmt: skip
        if by_id:
            return _readable(by_id[0]), []
        tagged = [_readable(one) for one in by_tag]
        if request.source is not None:
            own = [one for one in tagged if self._sources.name_of(one) == request.source]
            tagged = own or tagged
        if len(tagged) == 1:
            return tagged[0], []
        sources = {self._sources.name_of(one) for one in tagged}
        if request.changes or len(sources) > 1:
            raise _choice(request, f"{len(tagged)} snapshots carry the tag `{spec}`", by_tag,
                          self._sources)  # fmt: skip
        return tagged[-1], [f"{len(tagged)} snapshots carry the tag {spec}; this is the newest"]

    def _before(self, snapshot: Snapshot, steps: int) -> Snapshot:
        """The one so many before it, of the same source and selection."""
        source = self._sources.name_of(snapshot)
        group = [
            one
            for one in self._snapshots
            if self._sources.name_of(one) == source and one.selection == snapshot.selection
        ]
        place = group.index(snapshot) - steps
        if place < 0:
            raise SnapshotNotFoundError(
                f"Of {source} and the same selection {group.index(snapshot)} snapshots are older "
                f"than {snapshot.id}, so none is {steps} before it."
            )
        return group[place]


def _label(listing: SnapshotListing, request: SnapshotRequest) -> str:
    return f"snapshot {listing.id} of {request.zone.text(listing.time)}"


def _readable(listing: SnapshotListing) -> Snapshot:
    if listing.snapshot is None:
        assert listing.damage is not None
        raise listing.damage
    return listing.snapshot


def _choice(
    request: SnapshotRequest, why: str, snapshots: Sequence[SnapshotListing], sources: Sources
) -> AmbiguousSnapshotError:
    newest = sorted(snapshots, key=lambda snapshot: (snapshot.time, snapshot.id), reverse=True)
    listed = "\n".join(
        f"  {one.id} of {request.zone.text(one.time)}, {_what(one, sources)}"
        for one in newest[:_SHOWN]
    )
    more = f"\n  and {len(newest) - _SHOWN} more" if len(newest) > _SHOWN else ""
    return AmbiguousSnapshotError(
        f"{why}:\n{listed}{more}\nName the one that you mean by its id.",
        spec=request.text,
        sources=False,
        choices=tuple(one.id for one in newest),
    )


def _what(listing: SnapshotListing, sources: Sources) -> str:
    snapshot = listing.snapshot
    if snapshot is None:
        return "which cannot be read"
    return f"{sources.name_of(snapshot)}: {selection_text(snapshot.selection)}"


def _refusal(spec: str) -> str:
    """Why nothing answers to it, and what it was perhaps meant to be."""
    stamped = _STAMPED.fullmatch(spec)
    digits = stamped[2] if stamped else spec.lower()
    if _DIGITS.fullmatch(digits) and len(digits) < SHORTEST_PREFIX:
        return (
            f"{digits!r} is no tag, and too short for an id's beginning, which has "
            f"{SHORTEST_PREFIX} digits or more: add digits."
        )
    meant = _meant(spec)
    if meant:
        return f"{spec!r} names no snapshot; did you mean `{meant}`?"
    time = " of that time" if stamped else ""
    return (
        f"{spec!r} names no snapshot{time}: give an id or its first digits (four or more), a tag, "
        "`latest`, `latest~2`, or `@2026-11-20T10:00`; `rowvault snapshots` lists them."
    )


def _meant(spec: str) -> str:
    nearly = _NEARLY_LATEST.fullmatch(spec)
    if nearly:
        return f"latest~{nearly[1] or nearly[2]}"
    if spec.lower() in ("latest", "newest", "last"):
        return "latest"
    try:
        UTC_ZONE.read(spec)
    except ValueError:
        return ""
    return f"@{spec}"
