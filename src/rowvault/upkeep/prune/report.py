"""What a prune is asked, and what it tells."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rowvault.core.ids import SnapshotId
from rowvault.repository.records.session_object import SessionDocument
from rowvault.repository.records.session_watch import LEASE_S, Clock
from rowvault.upkeep.prune.plan import PruneLimits

Pause = Callable[[float], object]


@dataclass(frozen=True, slots=True)
class PruneRequest:
    """How much to do, and what to do about runs at work."""

    limits: PruneLimits = field(default_factory=PruneLimits)
    wait: bool = False
    """Wait for runs that may rely on what was condemned; else the next prune frees it."""
    dry_run: bool = False
    allow_remove_all: bool = False
    """Also where no snapshot is listed, and none is forgotten."""
    lease_s: float = LEASE_S
    clock: Clock = time.monotonic
    pause: Pause = field(default_factory=lambda: threading.Event().wait)


@dataclass(slots=True)
class PruneReport:
    """What a prune did, or in a dry run would do. Sizes in bytes."""

    snapshots: int = 0
    """That stay."""
    final: tuple[SnapshotId, ...] = ()
    """Forgotten snapshots that cannot come back now."""
    dead_packs: int = 0
    """Packs of which nothing was needed."""
    repacked_packs: int = 0
    repacked_bytes: int = 0
    """Live bytes of them that were stored once more."""
    renewed_blocks: int = 0
    """Live blocks that were stored anew, so that dead ones below them could go."""
    renewed_bytes: int = 0
    """Of their new frames."""
    removed_packs: int = 0
    freed_bytes: int = 0
    """By how much the files of packs and index shrank."""
    pending_bytes: int = 0
    """Of packs that are condemned, and go once the sessions below have ended."""
    unused_bytes: int = 0
    """Dead bytes that stay in packs which are mostly live."""
    waits_for: tuple[str, ...] = ()
    """The runs at work that hold pending packs, in words."""
    warnings: list[str] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    """What was found damaged, and stays."""


def describe(document: SessionDocument) -> str:
    """A session in words: what, where, who, since when."""
    process = document.process
    user = f"{process.user}@" if process.user else ""
    return (
        f"`{document.command}` on {user}{process.host}, process {process.pid}, at work since "
        f"{document.began:%Y-%m-%d %H:%M:%S} UTC (session {document.id})"
    )
