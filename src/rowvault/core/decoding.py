"""Reads documents into their types, from any thread.

msgspec looks at a type when it first meets it, and keeps what it finds before it is complete: a
second thread that decodes the same type in that moment ends the process with a segmentation fault.
Here one thread at a time makes decoders, and only finished ones are used.
"""

from __future__ import annotations

import functools
import threading
from typing import Any, TypeVar

import msgspec

Document = TypeVar("Document", bound=msgspec.Struct)

_MAKING = threading.Lock()


def decode_json(data: bytes | msgspec.Raw, document_type: type[Document]) -> Document:
    """Raises msgspec.MsgspecError, UnicodeDecodeError."""
    document: Document = _json_decoder(document_type).decode(data)
    return document


def decode_msgpack(data: bytes, document_type: type[Document]) -> Document:
    """Raises msgspec.MsgspecError, UnicodeDecodeError."""
    document: Document = _msgpack_decoder(document_type).decode(data)
    return document


@functools.cache
def _json_decoder(document_type: type[Any]) -> msgspec.json.Decoder[Any]:
    with _MAKING:
        return msgspec.json.Decoder(document_type)


@functools.cache
def _msgpack_decoder(document_type: type[Any]) -> msgspec.msgpack.Decoder[Any]:
    with _MAKING:
        return msgspec.msgpack.Decoder(document_type)
