"""A moment in time as it is stored: always with a time zone, so that any two can be compared."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import msgspec

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""In a document without a time zone it is refused."""

CLOCK_TOLERANCE = timedelta(minutes=5)
"""So far the clocks of two hosts that share a repository may differ, as with Kerberos."""


def is_of_future(time: datetime, now: datetime) -> bool:
    """Whether a clock was wrong when this was stamped, or is now; both with a time zone."""
    return time > now + CLOCK_TOLERANCE
