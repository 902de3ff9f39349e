"""Times as a person types them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from rowvault.core.errors import UsageError
from rowvault.core.zone import UTC_ZONE, Zone

BERLIN = Zone("Europe/Berlin", ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("zone", "text", "instant"),
    [
        (UTC_ZONE, "2026-11-14", "2026-11-14T23:59:59.999999+00:00"),
        (BERLIN, "2026-11-14", "2026-11-14T22:59:59.999999+00:00"),
        (BERLIN, "2026-10-25", "2026-10-25T22:59:59.999999+00:00"),
        (BERLIN, "2026-07-14T10:00", "2026-07-14T08:00:00+00:00"),
        (BERLIN, "2026-07-14T10:00Z", "2026-07-14T10:00:00+00:00"),
        (BERLIN, "2026-10-25T02:30+01:00", "2026-10-25T01:30:00+00:00"),
        (BERLIN, "2026-11-14Z", "2026-11-14T23:59:59.999999+00:00"),
        (BERLIN, "2026-11-14-05:00", "2026-11-15T04:59:59.999999+00:00"),
        (BERLIN, "20261114+0530", "2026-11-14T18:29:59.999999+00:00"),
    ],
)
def test_what_a_time_means(zone: Zone, text: str, instant: str) -> None:
    assert zone.read(text) == datetime.fromisoformat(instant)


@pytest.mark.parametrize(("text", "how"), [("2026-10-25T02:30", "twice"),
                                           ("2026-03-29T02:30", "never")])  # fmt: skip
def test_an_hour_that_clocks_show_twice_or_never(text: str, how: str) -> None:
    with pytest.raises(UsageError, match=rf"{how}.*\+0[12]:00.*\+0[12]:00"):
        BERLIN.read(text)


def test_what_is_no_time() -> None:
    for text in (
        "",
        "yesterday",
        "2026-13-01",
        "2026",
        "14.11.2026",
        "2026-W47",
        "2026-11-14x10:00",
    ):
        with pytest.raises(ValueError, match=r"not a time|month"):
            UTC_ZONE.read(text)


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00+14:00", "0001-01-01", "9999-12-31", "9999-12-31T23:59-12:00"]
)
def test_the_ends_of_the_calendar_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="years go from 2 to 9998"):
        BERLIN.read(text)


def test_an_offset_with_seconds_is_told_whole() -> None:
    assert BERLIN.text(datetime(1890, 1, 1, tzinfo=UTC)) == "1890-01-01 00:53:28 +00:53:28"


def test_the_repeated_hour_shows_its_offset() -> None:
    assert BERLIN.is_repeated(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    assert not BERLIN.is_repeated(datetime(2026, 10, 25, 3, 30, tzinfo=UTC))
    assert BERLIN.text(datetime(2026, 10, 25, 0, 30, tzinfo=UTC)) == "2026-10-25 02:30:00 +02:00"
