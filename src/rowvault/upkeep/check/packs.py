"""Checks packs against themselves and against the index, both ways."""

from __future__ import annotations

import dataclasses
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from blake3 import blake3

from rowvault.codec.frames import (
    MAXIMUM_DEPTH,
    BlockType,
    FrameHeader,
    decode_header,
)
from rowvault.core.errors import (
    CorruptError,
    DamageError,
    MissingError,
    StorageError,
    TruncatedError,
    UnsupportedFormatError,
)
from rowvault.core.ids import BlockId, PackName
from rowvault.core.monitor import Monitor
from rowvault.repository import names
from rowvault.repository.blocks.frame_reader import frame_name
from rowvault.repository.index.index import PREFIX_BYTES, Location
from rowvault.repository.names import PackType
from rowvault.repository.packs.pack import (
    PACK_HEADER_BYTES,
    RECORD_BYTES,
    TRAILER_BYTES,
    PackEntry,
    PackReader,
)
from rowvault.repository.session import RepositoryInternals
from rowvault.upkeep.check.report import CheckReport

_log = logging.getLogger(__name__)

_ATTEMPTS = 3
_KEPT_EXPLANATIONS = 1 << 16
_BAD = (DamageError, UnsupportedFormatError, StorageError)


class _Frame(NamedTuple):
    """A frame as the footer or the index puts it."""

    prefix: bytes
    offset: int
    frame_bytes: int


class PackCheck:
    """Looks at every pack once, and then knows which places are readable."""

    def __init__(
        self,
        internals: RepositoryInternals,
        report: CheckReport,
        monitor: Monitor,
        *,
        reads: Callable[[PackName], bool],
    ) -> None:
        self._internals = internals
        self._report = report
        self._monitor = monitor
        self._reads = reads
        self._records: Counter[PackName] = Counter()
        self._segments: Counter[PackName] = Counter()
        self._readable_bytes: dict[PackName, int] = {}
        """Of damaged packs: how far they go."""
        self._bad_frames: set[tuple[PackName, int]] = set()
        self._explained: dict[tuple[bytes, int], str | None] = {}
        """Of the last bases: why a frame of less than this depth cannot be read."""
        self._ambiguous: dict[tuple[BlockType, bytes], list[Location]] = {}
        """Frames of blocks that a reader may take for something else which searches nothing."""
        self.unused: set[tuple[PackType, PackName]] = set()
        """Damaged packs that no segment lists."""

    def run(self) -> None:
        """Checks all packs; the index must have been refreshed before.

        Where something is wrong and the index has changed meanwhile, a prune may have been at
        work, so all is looked at again.
        """
        for segment in (
            self._internals.index.unsealed_segments if self._internals.index.seals else ()
        ):
            self._monitor.warning(
                f"index segment {segment.name} is not sealed: an older program has made it, or "
                "somebody without the key. Blocks are found by it, and nothing is removed or left "
                "out for its sake; the next run that writes lists its packs anew"
            )
        before = dataclasses.replace(self._report, errors=list(self._report.errors))
        for _ in range(_ATTEMPTS):
            self._run_once()
            if self._report.errors == before.errors or not self._internals.index.refresh():
                return
            self._report.errors[:] = before.errors
            self._report.packs, self._report.blocks = before.packs, before.blocks
            self._report.bytes_read = before.bytes_read
            self._report.packs_read = before.packs_read
            self._report.unlisted_packs = before.unlisted_packs
            self._report.ambiguous_blocks = before.ambiguous_blocks
            self._ambiguous.clear()
            for found in (self._records, self._segments, self._readable_bytes, self._bad_frames):
                found.clear()
            self.unused.clear()
        self._run_once()

    def _run_once(self) -> None:
        for segment in self._internals.index.segments:
            self._records.update(segment.record_counts())
            self._segments.update(set(segment.packs))
        found = self._listed_objects()
        for kind, name in self._internals.index.typed_packs():
            if name not in found:
                self._readable_bytes[name] = 0
                self._report.add(
                    MissingError(f"pack {name} is missing; the index lists {self._count(name)}"),
                    names.pack(kind, name),
                )
        for name, kind in sorted(found.items()):
            self._check_pack(kind, name)
        self._report.ambiguous_blocks = self._count_ambiguous()

    def explain(self, kind: BlockType, ids: Sequence[BlockId]) -> list[str | None]:
        """Of each block why it cannot be read; None where it can.

        A prune may have moved some, or what they build on, since the index was read.
        """
        found = zip(ids, self._internals.index.find_all(kind, ids), strict=True)
        return [self._explain_now(kind, one, places) for one, places in found]

    def _explain_now(
        self, kind: BlockType, block_id: BlockId, places: Sequence[Location]
    ) -> str | None:
        """Of a block at these places; if it cannot be read there, at those that it has now."""
        for _ in range(_ATTEMPTS):
            reason = self._explain(block_id, places, MAXIMUM_DEPTH + 1)
            if reason is None:
                return None
            has_changed = self._internals.index.refresh()
            before, places = places, self._internals.index.find(kind, block_id)
            if not has_changed and places == before:  # it changes for the others of a batch, too
                break
            self._explained.clear()
        return reason

    def _explain(self, block_id: bytes, places: Sequence[Location], depth: int) -> str | None:
        """Of a block in frames of less than this depth; half of its id serves."""
        reasons = []
        for location in places:
            if location.depth < depth:
                reason = self._reason(location) or self._reason_below(block_id, location)
                if reason is None:
                    return None
                reasons.append(reason)
        if reasons:
            return " and ".join(reasons)
        return f"no pack that the index lists holds it{self._internals.index.advice()}"

    def _reason_below(self, block_id: bytes, location: Location) -> str | None:
        """Why what a delta builds on cannot be read."""
        if not location.depth:
            return None
        try:
            header = self._internals.blocks.header(block_id, location)
        except _BAD as error:
            return str(error)
        for base in header.bases:
            key = base, header.depth
            if key not in self._explained:
                if len(self._explained) >= _KEPT_EXPLANATIONS:
                    self._explained.clear()
                places = self._internals.index.find(location.type, base)
                self._explained[key] = self._explain(base, places, header.depth)
            reason = self._explained[key]
            if reason is not None:
                return f"it builds on block {base.hex()}, and {reason}"
        return None

    def _reason(self, location: Location) -> str | None:
        end = location.offset + location.frame_bytes
        if end > self._readable_bytes.get(location.pack, end):
            return f"pack {location.pack} is missing or ends before it"
        if (location.pack, location.offset) in self._bad_frames:
            return f"it is damaged in pack {location.pack} at byte {location.offset}"
        return None

    def _listed_objects(self) -> dict[PackName, PackType]:
        found: dict[PackName, PackType] = {}
        for object_name in self._internals.storage.list(names.PACKS):
            try:
                kind, name = names.split_pack(object_name)
                found[name] = kind
            except CorruptError as error:
                self._monitor.warning(f"left unused: {error}")
        return found

    def _check_pack(self, kind: PackType, name: PackName) -> None:
        object_name = names.pack(kind, name)
        listed = self._segments[name] > 0
        self._report.unlisted_packs += not listed
        try:
            size = self._internals.storage.size(object_name)
            entries = self._footer(kind, name, size)
            self._compare(name, entries)
        except _BAD as caught:
            error = self._as_damage(object_name, name, caught)
            if not listed and not isinstance(error, UnsupportedFormatError):
                # what a killed run left; nothing refers to it
                self.unused.add((kind, name))
                self._monitor.warning(f"left unused: {error}")
                return
            self._readable_bytes[name] = self._size_or_nothing(object_name)
            self._report.add(error, object_name)
            entries = None
        self._report.packs += 1
        self._report.blocks += len(entries) if entries is not None else self._records[name]
        if self._reads(name):
            self._read_pack(kind, name, entries)

    def _as_damage(self, object_name: str, name: PackName, error: Exception) -> Exception:
        """The error; where it is damage that makes the version an unknown one, that damage."""
        if not isinstance(error, UnsupportedFormatError):
            return error
        try:
            made = blake3(self._internals.storage.read(object_name)).hexdigest()
        except StorageError as unread:
            return unread
        if made == name:
            return error
        return CorruptError(f"pack {name} does not hold the bytes that name it")

    def _footer(self, kind: PackType, name: PackName, size: int) -> list[PackEntry]:
        entries = PackReader(self._internals.storage, self._internals.keys, kind, name).footer()
        read = PACK_HEADER_BYTES + len(entries) * RECORD_BYTES + TRAILER_BYTES
        self._report.bytes_read += 0 if self._reads(name) else read
        return entries

    def _compare(self, name: PackName, entries: Sequence[PackEntry]) -> None:
        """Raises CorruptError unless every segment that lists the pack lists just its frames."""
        copies = self._segments[name]
        if not copies:
            return
        if self._records[name] != copies * len(entries):
            raise CorruptError(
                f"pack {name} holds {len(entries)} blocks, the index lists {self._count(name)}"
            )
        for entry, places in self._internals.index.find_entries(entries):
            same = sum(
                (one.pack, *one[2:4], one.depth)
                == (name, entry.offset, entry.frame_bytes, entry.depth)
                for one in places
            )
            if same != copies:
                raise CorruptError(
                    f"the index does not list block {entry.id.hex()} where pack {name} holds it"
                )

    def _count(self, name: PackName) -> str:
        return f"{self._records[name] // max(1, self._segments[name])} blocks in it"

    def _read_pack(
        self, kind: PackType, name: PackName, entries: Sequence[PackEntry] | None
    ) -> None:
        """Every byte: the pack's own hash, and each frame's tag and id."""
        object_name = names.pack(kind, name)
        try:
            data = self._internals.storage.read(object_name)
            reader = PackReader(self._internals.storage, self._internals.keys, kind, name)
        except _BAD as error:
            if name not in self._readable_bytes:
                self._report.add(error, object_name)
            self._readable_bytes[name] = 0
            return
        self._report.bytes_read += len(data)
        self._report.packs_read += 1
        self._monitor.advance(0, len(data))
        frames = _frames(entries) if entries is not None else self._listed_frames(name)
        damaged = sum(not self._check_frame(reader, frame, data) for frame in frames)
        if blake3(data).hexdigest() != name and not damaged and name not in self._readable_bytes:
            self._report.add(
                CorruptError(
                    f"pack {name} does not hold the bytes that name it, although each of its "
                    "blocks is whole"
                ),
                object_name,
            )

    def _check_frame(self, reader: PackReader, frame: _Frame, data: bytes) -> bool:
        place = f"block {frame.prefix.hex()} in pack {reader.name} at byte {frame.offset}"
        try:
            view = memoryview(data)[frame.offset : frame.offset + frame.frame_bytes]
            if len(view) < frame.frame_bytes:
                raise TruncatedError("the pack ends before the end of the block")
            header = decode_header(view)
            if header.frame_bytes != frame.frame_bytes:
                raise CorruptError("its header states another length than the index")
            payload = reader.open_frame(header, view, frame.offset)
            if not header.id.startswith(frame.prefix):
                raise CorruptError("another block stands where the index puts it")
            self._prove(reader, header, payload, frame)
        except (DamageError, UnsupportedFormatError) as error:
            self._bad_frames.add((reader.name, frame.offset))
            self._report.add(
                type(error)(f"{place}: {error}"), names.pack(reader.header.type, reader.name)
            )
            return False
        return True

    def _prove(
        self, reader: PackReader, header: FrameHeader, payload: bytes, frame: _Frame
    ) -> None:
        """Raises CorruptError where the frame does not give its block.

        A delta is not damaged where what it builds on cannot be read, for its tag holds; snapshots
        that need it are named by what is damaged below it. A frame that none needs may have lost
        its base to a prune.
        """
        kind, depth = header.type, header.depth
        place = Location(
            reader.header.type, reader.name, frame.offset, frame.frame_bytes, kind, depth
        )
        bases = self._internals.blocks.bases
        try:
            proven = bases.prove(header, payload, place)
        except _BAD as error:
            if not bases.are_readable(header, place):
                _log.info("%s", error)
                return
            message = str(error).removeprefix(f"{frame_name(header.id, place)}: ")
            raise CorruptError(message) from error
        if proven.is_searched or not bases.are_alike(header):
            self._ambiguous.setdefault((kind, frame.prefix), []).append(place)

    def _count_ambiguous(self) -> int:
        """Blocks, but not those of which another frame is read that is not ambiguous."""
        bases, index = self._internals.blocks.bases, self._internals.index
        return sum(
            not any(
                place not in bad
                and (place.pack, place.offset) not in self._bad_frames
                and bases.is_plain(prefix, place)
                for place in index.find(kind, prefix)
            )
            for (kind, prefix), bad in self._ambiguous.items()
        )

    def _listed_frames(self, name: PackName) -> list[_Frame]:
        """From the index, where the pack's own footer cannot be read."""
        found = {
            _Frame(prefix, location.offset, location.frame_bytes)
            for segment in self._internals.index.segments
            for prefix, location in segment.locations(name)
        }
        return sorted(found, key=lambda frame: frame.offset)

    def _size_or_nothing(self, object_name: str) -> int:
        try:
            return self._internals.storage.size(object_name)
        except StorageError:
            return 0


def _frames(entries: Iterable[PackEntry]) -> list[_Frame]:
    return [_Frame(entry.id[:PREFIX_BYTES], entry.offset, entry.frame_bytes) for entry in entries]
