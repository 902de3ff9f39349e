"""AUTO_INCREMENT in a CREATE TABLE statement: it moves while the rest of the definition stays."""

from __future__ import annotations

import re

_COUNTER = re.compile(
    rb"'(?:[^'\\]|\\.|'')*'|`(?:[^`]|``)*`| AUTO_INCREMENT=(?P<value>\d+)", re.DOTALL
)


def split_counter(statement: bytes) -> tuple[bytes, int | None]:
    """The statement without the option, and its value; None where there is no such option."""
    for match in _COUNTER.finditer(statement):
        if match["value"] is not None:
            return statement[: match.start()] + statement[match.end() :], int(match["value"])
    return statement, None
