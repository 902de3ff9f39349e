"""Which texts may be tags: none that stands for a snapshot or a moment by its form."""

from __future__ import annotations

import re

from rowvault.core.errors import UsageError

_RESERVED = re.compile(
    r"@.*|latest|.*[~+]\d+|end|(gtid|pos|before):.*|[0-9a-f]{4,16}|\d{8}T\d{6}Z-[0-9a-f]+",
    re.IGNORECASE | re.DOTALL,
)


def check_tag(tag: str) -> None:
    """Raises UsageError for a tag that would be taken for something else."""
    if not tag or tag != tag.strip():
        raise UsageError("a tag is empty, or has space around it")
    if _RESERVED.fullmatch(tag):
        raise UsageError(
            f"{tag!r} cannot be a tag: it would be taken for an id, a time or a moment. Ids are 4 "
            "or more digits and letters up to f; `latest`, `end`, and what starts with `@`, "
            "`gtid:`, `pos:`, `before:` or ends with `~N` or `+N`, have a meaning of their own."
        )
