"""Chains of frames that a writer may rely on, and deltas at their ends (docs/format.md, "Deltas").

A writer relies on a frame only where all that it builds on is there to stay, too: a prune keeps
what live frames build on, but dead frames that it leaves behind may have lost their base.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from rowvault.codec.arrangement import AS_ROWS, ArrangedBlock, arranged, by_column
from rowvault.codec.frames import (
    MAXIMUM_DEPTH,
    MAXIMUM_VERSION,
    BlockType,
    FrameHeader,
    Lineage,
    encode_delta,
    first_version,
)
from rowvault.core.ids import BlockId
from rowvault.core.monitor import Monitor
from rowvault.repository.blocks.reader import BAD, BlockReader
from rowvault.repository.index.index import BlockIndex, Location

_log = logging.getLogger(__name__)

_KEPT_PLACES = 1 << 16
_LEAST_SAVING = 2
"""A delta is used where the block standing alone would be so many times as large."""
_GOOD_SAVING = 8
"""No better one is looked for behind a delta that is so many times smaller."""


class ChainLink(msgspec.Struct, frozen=True):
    """One frame of a chain."""

    location: Location
    header: FrameHeader


class Chain(msgspec.Struct, frozen=True):
    """A frame with what it builds on, all of it usable."""

    line: list[ChainLink]
    """The frame, its base, the base of that, down to one that stands alone or has two bases."""
    alone: FrameHeader
    """Of a frame below all others, which stands alone."""
    is_forked: bool
    """A frame with two bases is in it."""


class NewBlock(msgspec.Struct, frozen=True):
    """A data block that is to be stored."""

    id: BlockId
    raw: bytes
    column_count: int
    """Of the whole rows that it consists of; 0: it is something else."""


class UsableChains:
    """Follows the bases of frames through places that are usable. Used from any thread."""

    def __init__(self, blocks: BlockReader, is_usable: Callable[[Location], bool]) -> None:
        self._blocks = blocks
        self._is_usable = is_usable
        self._known: set[Location] = set()
        self._lock = threading.Lock()

    def holds(self, prefix: bytes, location: Location) -> bool:
        """Whether all that a usable frame builds on is usable too."""
        with self._lock:
            if not location.depth or location in self._known:
                return True
        if self.below(prefix, location) is None:
            return False
        with self._lock:
            if len(self._known) >= _KEPT_PLACES:
                self._known.clear()
            self._known.add(location)
        return True

    def forget(self) -> None:
        """Fewer places are usable than before."""
        with self._lock:
            self._known.clear()

    def below(self, prefix: bytes, location: Location) -> Chain | None:
        """The chain of a usable frame; None where something of it is not."""
        try:
            header = self._blocks.header(prefix, location)
        except BAD as error:
            _log.info("%s", error)
            return None
        link = ChainLink(location, header)
        if not header.bases:
            return Chain([link], header, is_forked=False)
        chains = [self._first(base, self._blocks.bases.places(header, base))
                  for base in header.bases]  # fmt: skip
        below = chains[0]
        if below is None or None in chains:
            return None
        if len(chains) > 1:
            return Chain([link], below.alone, is_forked=True)
        return Chain([link, *below.line], below.alone, below.is_forked)

    def of(self, prefix: bytes, places: Iterable[Location]) -> Chain | None:
        """The chain of the frame that builds on fewest, of all places of a block."""
        return self._first(prefix, sorted(places, key=lambda location: location.depth))

    def _first(self, prefix: bytes, places: Iterable[Location]) -> Chain | None:
        for location in places:
            if self._is_usable(location):
                chain = self.below(prefix, location)
                if chain is not None:
                    return chain
        return None


class DeltaMaker:
    """Stores a block as what has changed since an earlier version of it. Used from any thread.

    Versions are numbered along a line of descent, and the base of version n is the newest one that
    is not above n with its lowest set bit cleared (a skip list): version n is at most as many
    frames deep as n has bits set, and most bases are recent. Where a cut has moved, the two blocks
    around it are the bases, and a new line begins.
    """

    def __init__(
        self,
        blocks: BlockReader,
        index: BlockIndex,
        chains: UsableChains,
        monitor: Monitor,
        *,
        states_arrangements: bool,
    ) -> None:
        """`states_arrangements`: all programs that read the repository know such deltas."""
        self._states_arrangements = states_arrangements
        self._blocks = blocks
        self._index = index
        self._chains = chains
        self._monitor = monitor
        self._has_warned = False

    def make(self, new: NewBlock, previous: Sequence[bytes]) -> tuple[FrameHeader, bytes] | None:
        """(header, payload); None where the block had better stand alone.

        `previous`: half of the id of what stood at the block's place before, of most of it first.
        """
        chains = [self._chain_of(one) for one in previous]
        found = [chain for chain in chains if chain is not None]
        if not found:
            return None
        block = _arranged_like(found[0].line[0].header, new)
        if block is None:
            return None
        alone = found[0].alone
        whole_bytes = len(new.raw) * alone.stored_bytes // max(1, alone.raw_bytes)
        best: tuple[FrameHeader, bytes] | None = None
        limit = whole_bytes // _LEAST_SAVING
        try:
            for choice in _choices(new.id, found):
                made = self._encode(new, block, choice)
                if made is not None and len(made[1]) <= limit:
                    best, limit = made, len(made[1]) - 1
                if best is not None and limit * _GOOD_SAVING <= whole_bytes:
                    break
        except BAD as error:
            self._warn_once(error)
        return best

    def _encode(
        self, new: NewBlock, block: ArrangedBlock, choice: _Choice
    ) -> tuple[FrameHeader, bytes] | None:
        """None where a program of an earlier version might take other bytes for a base."""
        bases = tuple(self._blocks.bases.block(one.header.id, one.location) for one in choice.bases)
        kinds = {one.arrangement.is_by_column for one in (block, *bases)}
        if not self._states_arrangements and len(kinds) > 1:
            return None
        lineage = Lineage(
            bases,
            tuple(one.header.id for one in choice.bases),
            1 + max(one.header.depth for one in choice.bases),
            choice.version,
        )
        made = encode_delta(new.id, block, lineage, states_arrangements=self._states_arrangements)
        return made if self._blocks.bases.are_alike(made[0]) else None

    def _chain_of(self, prefix: bytes) -> Chain | None:
        return self._chains.of(prefix, self._index.find(BlockType.DATA, BlockId(prefix)))

    def _warn_once(self, error: Exception) -> None:
        _log.info("%s", error)
        if not self._has_warned:
            self._has_warned = True
            self._monitor.warning(
                f"an earlier version of a block cannot be read ({error}); such blocks are stored "
                "whole. `rowvault check --read-data` names what is damaged."
            )


def _arranged_like(base: FrameHeader, new: NewBlock) -> ArrangedBlock | None:
    """By column, or as rows, as a base is; None where the block cannot be so."""
    arrangement = by_column(new.column_count) if base.is_by_column else AS_ROWS
    data = arranged(new.raw, arrangement)
    return None if data is None else ArrangedBlock(arrangement, data, len(new.raw))


class _Choice(NamedTuple):
    """On what a delta may build, and which version it is then."""

    bases: tuple[ChainLink, ...]
    version: int


def _choices(block_id: BlockId, chains: Sequence[Chain]) -> Iterator[_Choice]:
    """The base that the version asks for; two blocks; the version before, with fewer changes."""
    newest = chains[0].line[0]
    version = newest.header.version + 1
    asked = _base_for(chains[0], version)
    choices = [_Choice((asked,), version)]
    kinds = {chain.line[0].header.is_by_column for chain in chains}
    if len(chains) > 1 and len(kinds) == 1 and not any(chain.is_forked for chain in chains):
        both = tuple(_base_for(chain, chain.line[0].header.version + 1) for chain in chains)
        choices.append(_Choice(both, first_version(block_id)))
    if asked is not newest:
        choices.append(_Choice((newest,), version))
    for one in choices:
        if one.version <= MAXIMUM_VERSION and all(
            link.header.depth < MAXIMUM_DEPTH for link in one.bases
        ):
            yield one


def _base_for(chain: Chain, version: int) -> ChainLink:
    target = version & (version - 1)
    return next((link for link in chain.line if link.header.version <= target), chain.line[-1])
