"""How the moment of a snapshot is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rowvault.core.model import ConsistencyPoint


def moment_text(moment: ConsistencyPoint) -> str:
    """In one line: how it was taken, how definitions were guarded, and where it lies."""
    text = method_text(moment)
    if moment.definitions:
        text += f"; definitions: {guard_text(moment)}"
    if moment.binlog_file:
        text += f"; at {moment.binlog_file}:{moment.binlog_position}"
    if moment.gtid:
        text += f", gtid {moment.gtid}"
    return text


def method_text(moment: ConsistencyPoint) -> str:
    """How it was taken, and why not in a better way."""
    return _with_reason(moment.method, moment.reason)


def guard_text(moment: ConsistencyPoint) -> str:
    """How definitions were guarded, and why not in a better way."""
    return _with_reason(moment.definitions, moment.definitions_reason)


def _with_reason(word: str, reason: str) -> str:
    return f"{word} ({reason})" if reason else word
