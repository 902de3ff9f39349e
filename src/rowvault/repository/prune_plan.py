"""What a prune does with each pack: keep it, drop it, or store what is live in it once more."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from rowvault.core.ids import PackName
from rowvault.repository.index import Location
from rowvault.repository.index_segment import PREFIX_BYTES
from rowvault.repository.live_blocks import LiveMarks
from rowvault.repository.names import PackType

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
    """Chosen places that turned out not to hold their block, where there was another one."""

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


class _Place(NamedTuple):
    location: Location
    is_live: bool


def make_plan(
    marks: LiveMarks,
    limits: PruneLimits,
    stored: Set[PackName],
    condemned: Set[PackName],
    untouchable: Callable[[PackType, PackName], bool],
    is_whole: Callable[[Location], bool],
) -> PrunePlan:
    """Reads the index twice and decides.

    `stored`: packs that are there; `condemned`: those of earlier rounds; `untouchable`: packs of
    runs at work; `is_whole`: reads a frame, asked only where a block has several places.
    """
    uses = _count(marks)
    chooser = _Chooser(uses, stored, condemned, is_whole)
    for places in _blocks(marks):
        if places[0].is_live:
            chooser.choose([place.location for place in places])
    for name, live_bytes in chooser.live_bytes.items():
        uses[name].live_bytes = live_bytes
    plan = PrunePlan(
        {name: use for name, use in uses.items() if name in stored},
        rescued=chooser.rescued,
        spare=chooser.spare,
        unreadable=chooser.unreadable,
    )
    candidates = {
        name: use
        for name, use in plan.uses.items()
        if use.dead_bytes and name not in condemned and name not in chooser.held
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
    for places in _blocks(marks):
        for location, is_live in places:
            use = uses.setdefault(location.pack, PackUse(location.pack_type))
            use.frame_bytes += location.frame_bytes
            use.live_bytes += location.frame_bytes if is_live else 0
    return uses


def _blocks(marks: LiveMarks) -> Iterator[list[_Place]]:
    """The distinct places of each block, in the order of the ids."""
    streams = [_numbered(marks, number) for number in range(len(marks.segments))]
    merged: Iterable[tuple[bytes, int, bool]] = heapq.merge(*streams)
    for _, group in itertools.groupby(merged, key=_block_of):
        places: dict[tuple[PackName, int], _Place] = {}
        for record, number, is_live in group:
            location = marks.segments[number].decode(record)
            places[location.pack, location.offset] = _Place(location, is_live)
        yield list(places.values())


def _numbered(marks: LiveMarks, number: int) -> Iterator[tuple[bytes, int, bool]]:
    return ((record, number, is_live) for record, is_live in marks.records(number))


def _block_of(numbered: tuple[bytes, int, bool]) -> tuple[bytes, int]:
    return numbered[0][:PREFIX_BYTES], numbered[0][_TYPE_AT]


class _Chooser:
    """Chooses one place for each live block, so that packs full of copies can go."""

    def __init__(
        self,
        uses: Mapping[PackName, PackUse],
        stored: Set[PackName],
        condemned: Set[PackName],
        is_whole: Callable[[Location], bool],
    ) -> None:
        self._uses = uses
        self._stored = stored
        self._condemned = condemned
        self._is_whole = is_whole
        self.live_bytes: dict[PackName, int] = dict.fromkeys(uses, 0)
        self.rescued: set[PackName] = set()
        self.held: set[PackName] = set()
        """They hold a block of which no place could be read: nothing of it is touched."""
        self.spare: set[tuple[PackName, int]] = set()
        self.unreadable: list[Location] = []

    def choose(self, locations: Sequence[Location]) -> None:
        places = [one for one in locations if one.pack in self._stored]
        if not places:
            return  # lost already; the pack that held it is not there
        if len(places) > 1:
            chosen = self._first_whole(sorted(places, key=self._rank))
            self.spare.update((one.pack, one.offset) for one in places if one not in chosen)
            places = chosen
        for place in places:
            self.live_bytes[place.pack] += place.frame_bytes
            if place.pack in self._condemned:
                self.rescued.add(place.pack)

    def _rank(self, place: Location) -> tuple[int, bool, float, PackName]:
        """The least deep frame, on which all can build that build on any of them; then packs that
        stay anyway, and those of which most is live."""
        use = self._uses[place.pack]
        live_share = use.live_bytes / use.frame_bytes
        return place.depth, place.pack in self._condemned, -live_share, place.pack

    def _first_whole(self, places: Sequence[Location]) -> list[Location]:
        for place in places:
            if self._is_whole(place):
                return [place]
            self.unreadable.append(place)
        self.held.update(place.pack for place in places)
        return list(places)


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
