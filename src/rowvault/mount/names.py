"""Names of databases and tables as names of files."""

from __future__ import annotations

import re
from collections.abc import Collection

from blake3 import blake3

from rowvault.sqltext.quoting import encode_name

LONGEST_BYTES = 255
"""Of one name, on Linux."""
_KEPT_BYTES = 180
_ESCAPED = re.compile(r"[%/\0-\x1f\x7f]")


def file_name(name: str, suffix: str = "", reserved: Collection[str] = ()) -> str:
    """The name with what a file system cannot hold percent-encoded, and the suffix behind it.

    Different names give different file names. A name that would be too long keeps its beginning
    and gets `%+` and a hash; one that is `reserved` has its first character encoded.
    """
    escaped = _ESCAPED.sub(lambda match: f"%{ord(match[0]):02X}", name)
    if escaped in ("", ".", "..") or escaped + suffix in reserved:
        first = encode_name(escaped[:1])
        escaped = "".join(f"%{byte:02X}" for byte in first) + escaped[1:]
        escaped = escaped or "%"
    encoded = encode_name(escaped)
    if len(encoded) + len(suffix) > LONGEST_BYTES:
        kept = encoded[:_KEPT_BYTES].decode("utf-8", "ignore")
        escaped = f"{kept}%+{blake3(encode_name(name)).hexdigest(length=8)}"
    return escaped + suffix
