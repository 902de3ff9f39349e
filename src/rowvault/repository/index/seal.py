"""The MAC of index segments: only a holder of the repository's key makes one that is sealed."""

from __future__ import annotations

import hmac

from blake3 import blake3

from rowvault.core.ids import RepositoryId
from rowvault.repository.crypto.secrets import Secrets

MAC_BYTES = 32


class SegmentSeal:
    """Makes and verifies the MACs of one repository's segments. Used from any thread."""

    def __init__(self, secrets: Secrets, repository: RepositoryId) -> None:
        self._key = secrets.segment_key()
        self._context = b"rowvault segment 2" + bytes.fromhex(repository)

    def mac(self, digest: bytes) -> bytes:
        """Of a segment's unkeyed BLAKE3-256 over all bytes before the MAC."""
        return blake3(self._context + digest, key=self._key).digest()

    def is_mac(self, digest: bytes, mac: bytes) -> bool:
        """Whether this is the MAC of that digest."""
        return hmac.compare_digest(mac, self.mac(digest))
