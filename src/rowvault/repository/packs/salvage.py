"""Reads a damaged pack by its frames: each stands by itself (docs/format.md, "Packs")."""

from __future__ import annotations

from collections.abc import Iterator

from rowvault.codec.frames import (
    FRAME_MAGIC,
    FrameHeader,
    decode_header,
    decode_payload,
)
from rowvault.core.errors import DamageError, UnsupportedFormatError
from rowvault.core.ids import SessionId
from rowvault.repository.crypto.ciphers import Cipher
from rowvault.repository.crypto.secrets import IdMaker
from rowvault.repository.names import PackType
from rowvault.repository.packs.pack import PACK_HEADER_BYTES, SALT_BYTES, PackHeader, PackKeys

_SALT_AT = PACK_HEADER_BYTES - SALT_BYTES
_SESSION_AT = _SALT_AT - 16


def whole_frames(
    data: bytes, kind: PackType, keys: PackKeys, make_id: IdMaker
) -> Iterator[tuple[FrameHeader, bytes]]:
    """(header, payload) of each frame that is as it was written, in the order of their offsets.

    Its tag holds, and its bytes make its id; of a delta the tag alone tells, for its base may be
    gone. Of the pack's header only session and salt are needed. Behind a damaged frame the search
    goes on at the next frame magic; what only looks like a frame fails its tag.
    """
    if len(data) < PACK_HEADER_BYTES:
        return
    session = SessionId(data[_SESSION_AT:_SALT_AT].hex())
    cipher = keys.cipher(PackHeader(kind, session, data[_SALT_AT:PACK_HEADER_BYTES]))
    at = data.find(FRAME_MAGIC, PACK_HEADER_BYTES)
    while at >= 0:
        found = _open_frame(data, at, cipher, keys, make_id)
        if found is None:
            at = data.find(FRAME_MAGIC, at + 1)
            continue
        yield found
        at = data.find(FRAME_MAGIC, at + found[0].frame_bytes)


def _open_frame(
    data: bytes, at: int, cipher: Cipher, keys: PackKeys, make_id: IdMaker
) -> tuple[FrameHeader, bytes] | None:
    try:
        header = decode_header(data, at)
        end = at + header.frame_bytes
        if end > len(data):
            return None
        start = at + header.header_bytes
        payload = cipher.open(at, keys.frame_data(data[at:start]), data[start:end])
        if header.bases:
            return header, payload
        raw = decode_payload(header, payload)
    except (DamageError, UnsupportedFormatError):
        return None  # told by the caller, who has found the pack damaged
    return (header, payload) if make_id(header.type, raw) == header.id else None
