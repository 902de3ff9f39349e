"""A moment in time as it is stored: always with a time zone, so that any two can be compared."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""In a document without a time zone it is refused."""
