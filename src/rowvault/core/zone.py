"""The time zone in which a person reads and writes times."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo

from rowvault.core.errors import UsageError

_SHORTEST = timedelta(microseconds=1)
_DAY = re.compile(r"(\d{4}-\d\d-\d\d|\d{8})(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII)
_CLOCK = re.compile(r"(?:\d{4}-\d\d-\d\d|\d{8})[T ]\S+", re.ASCII)
"""With another character between them, `2026-11-20+01:00` would be one o'clock."""


class Zone:
    """A time zone with the name by which messages call it."""

    def __init__(self, name: str, rules: tzinfo | None) -> None:
        """`rules`: None for the zone of this process, as the C library knows it."""
        self.name = name
        self._rules = rules

    def at(self, time: datetime) -> datetime:
        """The same instant by the clocks of this zone."""
        return time.astimezone(self._rules)

    def text(self, time: datetime) -> str:
        """The instant to the second, with the offset from UTC: `2026-11-20 10:00:00 +01:00`."""
        local = self.at(time)
        return f"{local:%Y-%m-%d %H:%M:%S} {offset_text(local)}"

    def is_repeated(self, time: datetime) -> bool:
        """Whether the clocks of this zone show this time of day twice on this day."""
        local = self.at(time)
        return self._other_reading(local).utcoffset() != local.utcoffset()

    def read(self, text: str) -> datetime:
        """The instant that `2026-11-20T10:00`, `...Z` or `...+01:00` means.

        A date alone means the end of that day. Raises ValueError where it is no time; UsageError
        where clocks show it twice or never, which names both offsets, and for a year at either end
        of the calendar.
        """
        day = _DAY.fullmatch(text)
        if day is None and not _CLOCK.fullmatch(text):
            raise ValueError(f"not a time: {text}")
        if not "0001" < text[:4] < "9999":
            raise UsageError(
                f"{text!r} is beyond what every zone can tell: years go from 2 to 9998."
            )
        if day is None:
            return self._of_clock(text)
        next_day = date.fromisoformat(day[1]) + timedelta(days=1)
        midnight = datetime.combine(next_day, datetime.min.time())
        if day[2]:
            start = datetime.fromisoformat(f"{midnight.isoformat()}{day[2]}")
        else:
            start = self._local(midnight, 0)
        return start.astimezone(UTC) - _SHORTEST

    def _of_clock(self, text: str) -> datetime:
        stated = datetime.fromisoformat(text)
        if stated.tzinfo is not None:
            return stated
        readings = [self._local(stated, fold) for fold in (0, 1)]
        if readings[0].utcoffset() == readings[1].utcoffset():
            return readings[0]
        is_skipped = self.at(readings[0].astimezone(UTC)).replace(tzinfo=None, fold=0) != stated
        forms = " or ".join(f"`@{text}{offset_text(one)}`" for one in readings)
        raise UsageError(
            f"The clocks of {self.name} {'never show' if is_skipped else 'show twice'} {text}: "
            f"they were set {'forward' if is_skipped else 'back'} then. Say which offset you mean: "
            f"{forms}."
        )

    def _local(self, naive: datetime, fold: int) -> datetime:
        if self._rules is None:
            return naive.replace(fold=fold).astimezone()
        return naive.replace(fold=fold, tzinfo=self._rules)

    def _other_reading(self, local: datetime) -> datetime:
        naive = local.replace(tzinfo=None, fold=0)
        first = self._local(naive, 0)
        return self._local(naive, 1) if first.utcoffset() == local.utcoffset() else first


UTC_ZONE = Zone("UTC", UTC)


def offset_text(time: datetime) -> str:
    """`+01:00`."""
    offset = time.utcoffset()
    return time.isoformat(timespec="microseconds")[26:] if offset else "+00:00"
