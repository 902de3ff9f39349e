"""Which packs a check reads, so that several checks together read all of them."""

from __future__ import annotations

from bisect import bisect_right

import msgspec

from rowvault.core.errors import (
    CorruptError,
    DamageError,
    ObjectChangedError,
    ObjectExistsError,
    ObjectMissingError,
    StorageError,
    UnsupportedFormatError,
)
from rowvault.core.ids import PackName
from rowvault.core.monitor import Monitor
from rowvault.repository import names
from rowvault.repository.crypto.sealed import DocumentType, Sealer
from rowvault.storage.protocol import Storage


class PackShare(msgspec.Struct, frozen=True):
    """The `number`-th of `count` shares, by the packs' names: `count` checks read every pack."""

    number: int
    """1 to `count`."""
    count: int

    def holds(self, name: PackName) -> bool:
        """Whether a pack is in this share, whatever other packs there are."""
        return int(name[:16], 16) % self.count == self.number - 1


class PackAmount(msgspec.Struct, frozen=True):
    """The packs behind those that the last check read, in a circle."""

    part: float | None = None
    """Of all bytes, 0 to 1."""
    size_bytes: int | None = None

    def target(self, total_bytes: int) -> int:
        """Bytes to read; at least one pack is."""
        if self.size_bytes is not None:
            return self.size_bytes
        return int(total_bytes * (1.0 if self.part is None else self.part))


ReadSubset = PackShare | PackAmount


class ReadMark(msgspec.Struct, frozen=True):
    """What stands in `gc/verified`; it may be lost at any time."""

    last: PackName
    """The pack that the last check by amount read last. Names are hashes: their order is random."""


class ReadRotation:
    """Chooses packs by amount, and leaves to the next check where to go on."""

    def __init__(self, storage: Storage, sealer: Sealer) -> None:
        self._storage = storage
        self._sealer = sealer

    def choose(self, amount: PackAmount) -> list[PackName]:
        """The packs to read, in order. Raises StorageError."""
        sizes = self._sizes()
        if not sizes:
            return []
        ordered = sorted(sizes)
        start = bisect_right(ordered, self._mark()[0])
        target = amount.target(sum(sizes.values()))
        chosen: list[PackName] = []
        read = 0
        for name in ordered[start:] + ordered[:start]:
            if chosen and read >= target:
                break
            chosen.append(name)
            read += sizes[name]
        return chosen

    def remember(self, last: PackName, monitor: Monitor) -> None:
        """The next check goes on behind this pack; a place that cannot be written is named."""
        name = names.VERIFIED
        data = self._sealer.seal(DocumentType.READ_MARK, name, ReadMark(last))
        _, stored = self._mark()
        try:
            if stored is None:
                self._storage.create(name, data)
            else:
                self._storage.swap(name, stored, data)
        except (ObjectExistsError, ObjectChangedError, ObjectMissingError):
            return  # another check at the same time has left its own
        except StorageError as error:
            monitor.warning(f"the next check reads the same packs again: {error}")

    def _mark(self) -> tuple[str, bytes | None]:
        """(last pack, stored bytes); a mark that is damaged starts from the beginning."""
        name = names.VERIFIED
        try:
            data = self._storage.read(name)
        except ObjectMissingError:
            return "", None
        try:
            return self._sealer.open(DocumentType.READ_MARK, name, data, ReadMark).last, data
        except (DamageError, UnsupportedFormatError):
            return "", data

    def _sizes(self) -> dict[PackName, int]:
        found = {}
        for object_name in self._storage.list(names.PACKS):
            try:
                found[names.split_pack(object_name)[1]] = self._storage.size(object_name)
            except (CorruptError, ObjectMissingError):
                continue  # not a pack, or pruned since it was listed
        return found
