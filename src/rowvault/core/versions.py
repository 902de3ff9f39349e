"""Readers by version: what a later rowvault wrote is refused by name, never taken for damage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from rowvault.core.errors import UnsupportedFormatError

Reader = TypeVar("Reader")


def reader_of(readers: Mapping[int, Reader], version: int, what: str) -> Reader:
    """What reads this version of `what`, the words for the object. Raises UnsupportedFormatError.

    The next version of a format is one more entry of its `readers`.
    """
    reader = readers.get(version)
    if reader is None:
        known = " and ".join(str(one) for one in sorted(readers))
        raise UnsupportedFormatError(
            f"{what} has version {version}; this version of rowvault reads {known}; "
            "use a newer rowvault"
        )
    return reader
