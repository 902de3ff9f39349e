"""Packs: one stored file of many blocks (docs/format.md, "Packs").

header 60 | frames | sealed footer | footer length u32 | end magic 8

A frame's nonce is its offset in the pack, and the footer's nonce is its own, so no nonce is used
twice under the pack's key.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Protocol

from rowvault.codec.frames import (
    LARGEST_HEADER_BYTES,
    TAG_BYTES,
    BlockType,
    FrameHeader,
    decode_header,
)
from rowvault.core.errors import (
    CorruptError,
    DamageError,
    MissingError,
    ObjectMissingError,
    TruncatedError,
    UnsupportedFormatError,
)
from rowvault.core.ids import BlockId, PackName, RepositoryId, SessionId
from rowvault.core.versions import reader_of
from rowvault.repository import names
from rowvault.repository.crypto.ciphers import Cipher, CipherName, make_cipher
from rowvault.repository.crypto.secrets import Secrets, pack_key
from rowvault.repository.names import PackType

MAGIC = b"ROWVPACK"
END_MAGIC = b"ROWVPEND"
VERSION = 1
_START = struct.Struct("<8sB")
"""Magic and version: in this place in every version."""
_HEADER = struct.Struct("<8sBBH16s32s")
_RECORD = struct.Struct("<32sBBHIII")
_TRAILER = struct.Struct("<I8s")
PACK_HEADER_BYTES = _HEADER.size
RECORD_BYTES = _RECORD.size
TRAILER_BYTES = _TRAILER.size
SALT_BYTES = 32


class PackEntry(NamedTuple):
    """One frame as the footer lists it."""

    id: BlockId
    type: BlockType
    depth: int
    offset: int
    """Of the frame's header in the pack."""
    frame_bytes: int
    """Header, payload and tag."""
    raw_bytes: int


class PackHeader(NamedTuple):
    """What a pack starts with."""

    type: PackType
    session: SessionId
    salt: bytes

    def encode(self) -> bytes:
        """The 60 bytes."""
        return _HEADER.pack(MAGIC, VERSION, self.type, 0, bytes.fromhex(self.session), self.salt)


def decode_pack_header(data: bytes) -> PackHeader:
    """Raises TruncatedError, CorruptError, UnsupportedFormatError."""
    if len(data) < PACK_HEADER_BYTES:
        raise TruncatedError("the pack ends inside its header")
    magic, version = _START.unpack_from(data)
    if magic != MAGIC:
        raise CorruptError("the pack does not start with the magic bytes")
    return reader_of(_READERS, version, "a pack")(data)


def _decode_first(data: bytes) -> PackHeader:
    """Of version 1."""
    _, _, kind, reserved, session, salt = _HEADER.unpack_from(data)
    if reserved or kind not in (PackType.DATA, PackType.TREE):
        raise CorruptError("the pack's header has values that are never written")
    return PackHeader(PackType(kind), SessionId(session.hex()), salt)


_READERS: dict[int, Callable[[bytes], PackHeader]] = {1: _decode_first}
"""Version -> the reader of its header; a new version is put beside the others."""


class PackKeys:
    """Makes the ciphers and associated data of one repository's packs. Used from any thread."""

    def __init__(self, cipher: CipherName, secrets: Secrets, repository: RepositoryId) -> None:
        self._cipher = cipher
        self._secrets = secrets
        self._repository = bytes.fromhex(repository)

    def cipher(self, header: PackHeader) -> Cipher:
        """The cipher of one pack."""
        session_key = self._secrets.session_key(header.session)
        return make_cipher(self._cipher, pack_key(session_key, header.salt))

    def frame_data(self, frame_header: bytes) -> bytes:
        """What a frame's tag covers besides the payload."""
        return b"rowvault frame 1" + self._repository + frame_header

    def footer_data(self, pack_header: bytes) -> bytes:
        """What the footer's tag covers besides the records."""
        return b"rowvault footer 1" + self._repository + pack_header


class OpenPack:
    """A pack that is being filled, in memory. Used by one thread at a time."""

    def __init__(
        self, kind: PackType, session: SessionId, keys: PackKeys, memory: bytearray
    ) -> None:
        """`memory`: what an earlier pack was in is overwritten, and need not be got anew."""
        self.type = kind
        self.entries: list[PackEntry] = []
        self._keys = keys
        header = PackHeader(kind, session, os.urandom(SALT_BYTES))
        self._cipher = keys.cipher(header)
        self._header = header.encode()
        self.memory = memory
        """What the pack is in, and perhaps longer."""
        self.size = 0
        """Bytes so far."""
        self._put(self._header)

    def append(self, header: FrameHeader, payload: bytes) -> None:
        """Seals a block's payload and puts its frame at the end."""
        offset = self.size
        encoded = header.encode()
        self._put(encoded)
        self._put(self._cipher.seal(offset, self._keys.frame_data(encoded), payload))
        self.entries.append(
            PackEntry(
                header.id, header.type, header.depth, offset, header.frame_bytes, header.raw_bytes
            )
        )

    def finish(self) -> memoryview:
        """The whole pack; nothing can be appended afterwards, and `memory` not be resized."""
        records = b"".join(
            _RECORD.pack(
                entry.id,
                entry.type,
                entry.depth,
                0,
                entry.offset,
                entry.frame_bytes,
                entry.raw_bytes,
            )
            for entry in self.entries
        )
        associated = self._keys.footer_data(self._header)
        footer = self._cipher.seal(self.size, associated, records)
        self._put(footer)
        self._put(_TRAILER.pack(len(footer), END_MAGIC))
        return memoryview(self.memory)[: self.size]

    def _put(self, data: bytes) -> None:
        start, self.size = self.size, self.size + len(data)
        if self.size <= len(self.memory):
            self.memory[start : self.size] = data
        else:
            del self.memory[start:]
            self.memory += data


class PackSource(Protocol):
    """What a reader needs of a storage."""

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See Storage.read_range."""
        ...

    def size(self, name: str) -> int:
        """See Storage.size."""
        ...


class PackReader:
    """One stored pack: its header is read once, frames and footer on demand.

    Used from any thread. All methods raise DamageError, which names the pack, or StorageError.
    """

    def __init__(self, storage: PackSource, keys: PackKeys, kind: PackType, name: PackName) -> None:
        self._storage = storage
        self._keys = keys
        self._object = names.pack(kind, name)
        self.name = name
        self._encoded = self.read(0, PACK_HEADER_BYTES)
        with error_context("pack {}".format, name):
            self.header = decode_pack_header(self._encoded)
            if self.header.type is not kind:
                raise CorruptError("the pack is of another type than its place says")
        self._cipher = keys.cipher(self.header)

    def read_frame(
        self, kind: BlockType, prefix: bytes, offset: int, length: int, depth: int = 0
    ) -> tuple[FrameHeader, bytes]:
        """(header, payload) of a block's frame, authenticated; `prefix`: half of its id, or all.

        `depth` is what the index states, by which readers go: a frame of another one is refused.

        Whether the payload makes the id is still to be checked.
        """
        return self.frame_in(self.read(offset, length), kind, prefix, offset, length, depth)

    def frame_in(
        self,
        data: bytes | memoryview,
        kind: BlockType,
        prefix: bytes,
        offset: int,
        length: int,
        depth: int,
    ) -> tuple[FrameHeader, bytes]:
        """What `read_frame` gives, of bytes that `read` gave for this place."""
        with error_context(_place, prefix, self.name, offset):
            if len(data) < length:
                raise TruncatedError(
                    f"the pack ends {length - len(data)} bytes before the end of the block"
                )
            header = _expected(decode_header(data), kind, prefix, length, depth)
            return header, self.open_frame(header, data, offset)

    def read_header(
        self, kind: BlockType, prefix: bytes, offset: int, length: int, depth: int = 0
    ) -> FrameHeader:
        """The header of a block's frame, which only the whole frame would authenticate."""
        data = self.read(offset, min(length, LARGEST_HEADER_BYTES))
        with error_context(_place, prefix, self.name, offset):
            return _expected(decode_header(data), kind, prefix, length, depth)

    def open_frame(self, header: FrameHeader, frame: bytes | memoryview, offset: int) -> bytes:
        """The payload of a frame that starts at `offset` of the pack."""
        start = header.header_bytes
        associated = self._keys.frame_data(bytes(frame[:start]))
        sealed = memoryview(frame)[start : header.frame_bytes]
        return self._cipher.open(offset, associated, sealed)

    def footer(self) -> list[PackEntry]:
        """The frames in the order of their offsets, without a gap between them."""
        with error_context("pack {}".format, self.name):
            try:
                size = self._storage.size(self._object)
            except ObjectMissingError as error:
                raise _missing(self.name) from error
            return self._footer(size)

    def _footer(self, size: int) -> list[PackEntry]:
        least = PACK_HEADER_BYTES + TAG_BYTES + TRAILER_BYTES
        if size < least:
            raise TruncatedError(f"it has {size} bytes; an empty pack has {least}")
        trailer_at = size - TRAILER_BYTES
        length, magic = _TRAILER.unpack(self.read(trailer_at, TRAILER_BYTES))
        if magic != END_MAGIC:
            raise TruncatedError(f"its last bytes (of {size}) are not the end of a pack")
        start = trailer_at - length
        if start < PACK_HEADER_BYTES or length < TAG_BYTES:
            raise CorruptError("the length of its footer cannot be")
        sealed = self.read(start, length)
        associated = self._keys.footer_data(self._encoded)
        return _decode_records(self._cipher.open(start, associated, sealed), start)

    def read(self, offset: int, length: int) -> bytes:
        """Bytes as they stand in the pack; fewer where it ends earlier."""
        try:
            return self._storage.read_range(self._object, offset, length)
        except ObjectMissingError as error:
            raise _missing(self.name) from error


class error_context:  # noqa: N801 - reads as what it does, in a `with`
    """Puts a place in front of the message of a DamageError or UnsupportedFormatError.

    The place is put in words when something fails: most blocks are whole.
    """

    __slots__ = ("_arguments", "_words")

    def __init__(self, words: Callable[..., str], *arguments: object) -> None:
        self._words = words
        self._arguments = arguments

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None or not isinstance(error, (DamageError, UnsupportedFormatError)):
            return
        place = self._words(*self._arguments)
        if place not in str(error):
            raise type(error)(f"{place}: {error}") from error


def _place(prefix: bytes, pack: PackName, offset: int) -> str:
    return f"block {prefix.hex()} in pack {pack} at byte {offset}"


def _expected(
    header: FrameHeader, kind: BlockType, prefix: bytes, length: int, depth: int
) -> FrameHeader:
    found = header.type, header.frame_bytes, header.depth, header.id[: len(prefix)]
    if found != (kind, length, depth, prefix):
        raise CorruptError("another block stands where the index puts it")
    return header


def _missing(name: PackName) -> DamageError:
    return MissingError(f"pack {name} is not there")


def _decode_records(records: bytes, end: int) -> list[PackEntry]:
    if len(records) % RECORD_BYTES:
        raise CorruptError("its footer is not a whole number of records")
    entries = []
    position = PACK_HEADER_BYTES
    for block_id, kind, depth, _, offset, length, raw_bytes in _RECORD.iter_unpack(records):
        if offset != position or kind not in (BlockType.DATA, BlockType.NODE):
            raise CorruptError("its footer lists frames that do not follow one another")
        entries.append(
            PackEntry(BlockId(block_id), BlockType(kind), depth, offset, length, raw_bytes)
        )
        position += length
    if position != end:
        raise CorruptError("its footer does not list all of its frames")
    return entries
