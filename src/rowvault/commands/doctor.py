"""`doctor`: what a server allows, before any backup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rowvault.commands.server import ServerAccess
from rowvault.core.monitor import Monitor

if TYPE_CHECKING:
    from rowvault.source.examination import Examination


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """Which server, and what a backup of it would hold."""

    source: ServerAccess
    databases: tuple[str, ...] = ()
    tables: tuple[tuple[str, str], ...] = ()
    excludes: tuple[str, ...] = ()
    users: bool = False


def doctor(options: DoctorOptions, monitor: Monitor) -> Examination:
    """Looks at a live server and changes nothing. Raises SourceError."""
    # Start-up time: help needs none of it.
    from rowvault.source.protocol import Selection

    selection = Selection(options.databases, options.tables, options.excludes, options.users)
    monitor.phase("examining")
    return options.source.source(monitor).examine(selection)
