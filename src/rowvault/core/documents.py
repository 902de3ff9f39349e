"""Parts of the documents of `--json`, the same wherever they appear."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rowvault.core.model import ConsistencyPoint


def iso_time(time: datetime) -> str:
    """A moment in UTC for JSON: `2026-11-22T18:00:00Z`, with a fraction where there is one."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment_document(moment: ConsistencyPoint) -> dict[str, object]:
    """The moment of a snapshot with the stable keys of `--json`."""
    return {
        "method": moment.method,
        "reason": moment.reason,
        "definitions": moment.definitions,
        "definitions_reason": moment.definitions_reason,
        "binlog_file": moment.binlog_file,
        "binlog_position": moment.binlog_position,
        "gtid": moment.gtid,
    }
