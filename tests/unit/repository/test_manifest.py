"""What a reader makes of a manifest that a later version wrote."""

from __future__ import annotations

import pytest

from rowvault.core.errors import UnsupportedFormatError
from rowvault.repository.trees.manifest import decode_record


def test_an_unknown_kind_of_object_is_no_damage() -> None:
    with pytest.raises(UnsupportedFormatError, match=r"'hologram'.*newer rowvault"):
        decode_record((b"shop", b"hologram", b"h", b"\x80"))
