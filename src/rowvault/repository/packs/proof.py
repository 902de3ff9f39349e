"""Reads a finished pack in memory as readers will, before it is written out.

What a cipher, a buffer or the machine's memory did wrong is found while the rows are still there to
be sent again: by the next run, for this one fails.
"""

from __future__ import annotations

from collections.abc import Sequence

from rowvault.codec.frames import decode_header
from rowvault.core.errors import CorruptError, DamageError, RepositoryError, UnsupportedFormatError
from rowvault.core.ids import PackName
from rowvault.repository.crypto.ciphers import Cipher
from rowvault.repository.names import PackType
from rowvault.repository.packs.pack import PackEntry, PackKeys, PackReader


class _WrittenPack:
    """The bytes of one pack, read like a stored one."""

    def __init__(self, data: memoryview) -> None:
        self._data = data

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See Storage.read_range."""
        return bytes(self._data[offset : offset + length])

    def size(self, name: str) -> int:
        """See Storage.size."""
        return len(self._data)


def prove(
    data: memoryview,
    kind: PackType,
    name: PackName,
    entries: Sequence[PackEntry],
    keys: PackKeys,
) -> None:
    """Opens the footer and every frame, under keys that are derived anew from the pack's header.

    Raises RepositoryError where anything is not as it was put.
    """
    try:
        reader = PackReader(_WrittenPack(data), keys, kind, name)
        if reader.footer() != entries:
            raise CorruptError("its footer does not list what was put into it")
        cipher = keys.cipher(reader.header)
        for entry in entries:
            with data[entry.offset : entry.offset + entry.frame_bytes] as frame:
                _prove_frame(frame, entry, cipher, keys)
    except (DamageError, UnsupportedFormatError) as error:
        raise RepositoryError(
            f"A pack does not read back from memory, and is not written: {error}. The memory or "
            "the processor of this machine may be at fault; test it before you try again."
        ) from error


def _prove_frame(frame: memoryview, entry: PackEntry, cipher: Cipher, keys: PackKeys) -> None:
    """The payload is opened, not decompressed: its tag was made of what the compressor gave."""
    header = decode_header(frame)
    found = (header.id, header.type, header.depth, header.frame_bytes, header.raw_bytes)
    if found != (entry.id, entry.type, entry.depth, entry.frame_bytes, entry.raw_bytes):
        raise CorruptError(f"another block than {entry.id.hex()} stands at byte {entry.offset}")
    encoded = header.encode()
    with frame[len(encoded) :] as sealed:
        cipher.open(entry.offset, keys.frame_data(encoded), sealed)
