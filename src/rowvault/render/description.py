"""A snapshot described: what `show --json` prints and a mount has as a file."""

from __future__ import annotations

from collections.abc import Iterable

from rowvault.core.documents import iso_time, moment_document
from rowvault.repository import Snapshot


def snapshot_document(snapshot: Snapshot, tags: Iterable[str], source: str) -> dict[str, object]:
    """The snapshot with the stable keys of `show --json`."""
    server, moment, selection = snapshot.server, snapshot.moment, snapshot.selection
    return {
        "id": snapshot.id,
        "time": iso_time(snapshot.time),
        "parent": snapshot.parent,
        "tags": list(tags),
        "source": source,
        "server": {
            "vendor": server.vendor,
            "version": server.version,
            "id": server.server_id,
            "url": server.url,
        },
        "moment": moment_document(moment),
        "selection": {
            "databases": list(selection.databases),
            "tables": [list(name) for name in selection.tables],
            "excludes": list(selection.excludes),
            "users": selection.users,
        },
        "tables": snapshot.tables,
        "rows": snapshot.rows,
        "raw_bytes": snapshot.raw_bytes,
        "blocks": snapshot.blocks,
        "new_blocks": snapshot.new_blocks,
        "stored_bytes": snapshot.stored_bytes,
        "seconds": snapshot.seconds,
        "warnings": list(snapshot.warnings),
        "whole": snapshot.is_whole,
        "missing": list(snapshot.lacks),
        "grants": None if snapshot.grants is None else list(snapshot.grants),
        "tool_version": snapshot.tool_version,
    }
