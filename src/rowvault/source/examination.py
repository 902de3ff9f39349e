"""What a look at a server tells before any backup."""

from __future__ import annotations

import msgspec

from rowvault.core.model import ConsistencyPoint, ServerInfo


class Examination(msgspec.Struct, frozen=True):
    """What a backup of this selection would be like."""

    server: ServerInfo
    moment: ConsistencyPoint
    """Its method, its guard of definitions, and the reasons; no position."""
    problems: tuple[str, ...] = ()
    """Why a backup would fail."""
    omissions: tuple[str, ...] = ()
    """What it would leave out, or could not prove."""
    warnings: tuple[str, ...] = ()
    """What is well to know."""
    grants: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """What the account lacks, as statements to run: for `backup`, `users`, `restore`."""
