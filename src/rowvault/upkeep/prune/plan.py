"""What a prune does with each pack: keep it, drop it, or store what is live in it once more."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from rowvault.codec.frames import BlockType
from rowvault.core.ids import PackName
from rowvault.repository.index.index import Location
from rowvault.repository.index.segment import PREFIX_BYTES
from rowvault.repository.names import PackType
from rowvault.repository.packs.pack import PackEntry, PackReader
from rowvault.upkeep.live_blocks import LiveMarks

_TYPE_AT = 28


@dataclass(slots=True)
class PackUse:
    """How much of a pack is needed. Sizes in bytes of frames."""

    type: PackType
    frame_bytes: int = 0
    live_bytes: int = 0
    """Of blocks that snapshots refer to and that this pack is the chosen place of."""

    @property
    def dead_bytes(self) -> int:
        """What could be reclaimed."""
        return self.frame_bytes - self.live_bytes


@dataclass(frozen=True, slots=True)
class PruneLimits:
    """How much work a prune does for how little space."""

    max_unused: float = 0.05
    """Dead bytes that may stay in packs which are partly live, as a part of all live bytes."""
    max_repack_bytes: int | None = None
    """Live bytes that are stored again at most; None: as many as `max_unused` asks for."""

    def without(self, stored_bytes: int) -> PruneLimits:
        """What is left after so many bytes have been stored again."""
        room = self.max_repack_bytes
        left = None if room is None else max(0, room - stored_bytes)
        return PruneLimits(self.max_unused, left)


@dataclass(slots=True)
class PrunePlan:
    """The packs by what happens to them."""

    uses: dict[PackName, PackUse]
    dead: set[PackName] = field(default_factory=set)
    repack: list[PackName] = field(default_factory=list)
    rescued: set[PackName] = field(default_factory=set)
    """Condemned by an earlier prune, and needed again."""
    spare: set[tuple[PackName, int]] = field(default_factory=set)
    """(pack, offset) of frames of live blocks for which another place was chosen."""
    unreadable: list[Location] = field(default_factory=list)
    """Places that turned out not to hold their block, where there was another one."""
    lost: list[str] = field(default_factory=list)
    """Live blocks, in words, of which no place can be read: their packs are not to be touched."""

    @property
    def live_bytes(self) -> int:
        """Of all blocks that snapshots refer to."""
        return sum(use.live_bytes for use in self.uses.values())

    @property
    def repack_bytes(self) -> int:
        """Live bytes that are stored once more."""
        return sum(self.uses[name].live_bytes for name in self.repack)

    @property
    def unused_bytes(self) -> int:
        """Dead bytes that stay."""
        going = self.dead.union(self.repack)
        return sum(use.dead_bytes for name, use in self.uses.items() if name not in going)


class Copies(Protocol):
    """Reads copies of blocks, see BlockCopies."""

    def is_whole(self, prefix: bytes, location: Location) -> bool:
        """Whether the frame at that place gives this very block."""
        ...

    def form(self, prefix: bytes, location: Location) -> bytes | None:
        """Equal where copies can stand for one another as a base; None: it is not whole."""
        ...

    def is_cut_off(self, prefix: bytes, location: Location) -> bool:
        """Whether a copy is not whole only because what it builds on is gone."""
        ...


class _Place(NamedTuple):
    location: Location
    is_live: bool


class _Block(NamedTuple):
    """A block, and where it stands."""

    prefix: bytes
    type: BlockType
    places: list[_Place]


def make_plan(
    marks: LiveMarks,
    limits: PruneLimits,
    stored: Set[PackName],
    condemned: Set[PackName],
    untouchable: Callable[[PackType, PackName], bool],
    copies: Copies,
) -> PrunePlan:
    """Reads the index twice and decides.

    `stored`: packs that are there; `condemned`: those of earlier rounds; `untouchable`: packs of
    runs at work; `copies`: reads frames, asked only where a block has several places.
    """
    uses = _count(marks)
    chooser = _Chooser(uses, stored, condemned, copies)
    for block in _blocks(marks):
        if block.places[0].is_live:
            is_base = len(block.places) > 1 and marks.is_built_on(block.type, block.prefix)
            chooser.choose(block, is_base=is_base)
    for name, live_bytes in chooser.live_bytes.items():
        uses[name].live_bytes = live_bytes
    plan = PrunePlan(
        {name: use for name, use in uses.items() if name in stored},
        rescued=chooser.rescued,
        spare=chooser.spare,
        unreadable=chooser.unreadable,
        lost=chooser.lost,
    )
    candidates = {
        name: use for name, use in plan.uses.items() if use.dead_bytes and name not in condemned
    }
    plan.dead = {
        name
        for name, use in candidates.items()
        if not use.live_bytes and not untouchable(use.type, name)
    }
    plan.repack = list(_worth_it(candidates, plan, limits, untouchable))
    return plan


def _count(marks: LiveMarks) -> dict[PackName, PackUse]:
    """Every pack with its frames, each counted once however many segments list it."""
    uses: dict[PackName, PackUse] = {}
    for block in _blocks(marks):
        for location, is_live in block.places:
            use = uses.setdefault(location.pack, PackUse(location.pack_type))
            use.frame_bytes += location.frame_bytes
            use.live_bytes += location.frame_bytes if is_live else 0
    return uses


def _blocks(marks: LiveMarks) -> Iterator[_Block]:
    """Each block with its distinct places, in the order of the ids."""
    streams = [_numbered(marks, number) for number in range(len(marks.segments))]
    merged: Iterable[tuple[bytes, int, bool]] = heapq.merge(*streams)
    for (prefix, kind), group in itertools.groupby(merged, key=_block_of):
        places: dict[tuple[PackName, int], _Place] = {}
        for record, number, is_live in group:
            location = marks.segments[number].decode(record)
            places[location.pack, location.offset] = _Place(location, is_live)
        yield _Block(prefix, BlockType(kind), list(places.values()))


def _numbered(marks: LiveMarks, number: int) -> Iterator[tuple[bytes, int, bool]]:
    return ((record, number, is_live) for record, is_live in marks.records(number))


def _block_of(numbered: tuple[bytes, int, bool]) -> tuple[bytes, int]:
    return numbered[0][:PREFIX_BYTES], numbered[0][_TYPE_AT]


class _Chooser:
    """Chooses a place for each live block, so that packs full of copies can go.

    A base keeps one place in each of the forms in which it stands: deltas build on one form.
    """

    def __init__(
        self,
        uses: Mapping[PackName, PackUse],
        stored: Set[PackName],
        condemned: Set[PackName],
        copies: Copies,
    ) -> None:
        self._uses = uses
        self._stored = stored
        self._condemned = condemned
        self._copies = copies
        self.live_bytes: dict[PackName, int] = dict.fromkeys(uses, 0)
        self.rescued: set[PackName] = set()
        self.spare: set[tuple[PackName, int]] = set()
        self.unreadable: list[Location] = []
        self.lost: list[str] = []

    def choose(self, block: _Block, *, is_base: bool) -> None:
        """Of one live block."""
        places = [one.location for one in block.places if one.location.pack in self._stored]
        if not places:
            gone = sorted({one.location.pack for one in block.places})
            self.lost.append(f"pack {', '.join(gone)} is not there, which {_name(block)} needs")
            return
        if len(places) > 1:
            ranked = sorted(places, key=self._rank)
            choose = self._first_of_each_form if is_base else self._first_whole
            chosen = choose(block.prefix, ranked)
            if not chosen:
                self.lost.append(f"{_name(block)} is damaged in all packs that hold it")
                return
            self.spare.update((one.pack, one.offset) for one in places if one not in chosen)
            places = chosen
        for location in places:
            self.live_bytes[location.pack] += location.frame_bytes
            if location.pack in self._condemned:
                self.rescued.add(location.pack)

    def _rank(self, location: Location) -> tuple[int, bool, float, PackName]:
        """The least deep frame, on which all can build that build on any of them; then packs that
        stay anyway, and those of which most is live."""
        use = self._uses[location.pack]
        live_share = use.live_bytes / use.frame_bytes
        return location.depth, location.pack in self._condemned, -live_share, location.pack

    def _first_whole(self, prefix: bytes, places: Sequence[Location]) -> list[Location]:
        for location in places:
            if self._copies.is_whole(prefix, location):
                return [location]
            self._pass_over(prefix, location)
        return []

    def _first_of_each_form(self, prefix: bytes, places: Sequence[Location]) -> list[Location]:
        chosen: dict[bytes, Location] = {}
        for location in places:
            form = self._copies.form(prefix, location)
            if form is None:
                self._pass_over(prefix, location)
            else:
                chosen.setdefault(form, location)
        return list(chosen.values())

    def _pass_over(self, prefix: bytes, location: Location) -> None:
        # An earlier prune kept another copy, and nothing for the sake of this one: no damage.
        if not self._copies.is_cut_off(prefix, location):
            self.unreadable.append(location)


def _name(block: _Block) -> str:
    return f"{block.type.name.lower()} block {block.prefix.hex()}"


def _worth_it(
    candidates: Mapping[PackName, PackUse],
    plan: PrunePlan,
    limits: PruneLimits,
    untouchable: Callable[[PackType, PackName], bool],
) -> Iterator[PackName]:
    """Partly live packs, those that give most for the least work first."""
    partly = [name for name, use in candidates.items() if use.live_bytes]
    partly.sort(key=lambda name: (candidates[name].live_bytes / candidates[name].frame_bytes, name))
    unused = sum(candidates[name].dead_bytes for name in partly)
    allowed = limits.max_unused * plan.live_bytes
    room = limits.max_repack_bytes
    for name in partly:
        use = candidates[name]
        if unused <= allowed:
            return
        if (room is not None and use.live_bytes > room) or untouchable(use.type, name):
            continue
        unused -= use.dead_bytes
        room = None if room is None else room - use.live_bytes
        yield name


def entries_to_move(reader: PackReader, marks: LiveMarks, plan: PrunePlan) -> Iterator[PackEntry]:
    """Of a pack that is stored anew, the frames that are needed. Raises DamageError."""
    for entry in reader.footer():
        is_spare = (reader.name, entry.offset) in plan.spare
        if not is_spare and marks.is_marked(entry.type, entry.id):
            yield entry
