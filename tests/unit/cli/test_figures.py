"""Numbers as people read them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from rowvault.cli.output import formatting


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1024 * 1024 - 1, "1.0 MiB"),
        (5 * 1024**3 // 2, "2.5 GiB"),
        (1024**7, "1048576.0 PiB"),
    ],
)
def test_bytes(size: int, text: str) -> None:
    assert formatting.format_bytes(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.004, "0.00 s"), (9.876, "9.88 s"), (42.0, "42.0 s"), (192.4, "3 min 12 s"),
     (7500, "2 h 05 min")],
)  # fmt: skip
def test_seconds(seconds: float, text: str) -> None:
    assert formatting.format_seconds(seconds) == text


def test_plural() -> None:
    assert formatting.plural(1, "row") == "1 row"
    assert formatting.plural(0, "row") == "0 rows"
    assert formatting.plural(12345, "row") == "12,345 rows"


def test_times_are_utc() -> None:
    moment = datetime(2026, 11, 22, 19, 0, tzinfo=timezone(timedelta(hours=1)))
    assert formatting.format_time(moment) == "2026-11-22 18:00:00"
    assert formatting.iso_time(moment) == "2026-11-22T18:00:00Z"
    assert formatting.iso_time(datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC)).endswith("Z")


def test_no_name_moves_a_cursor() -> None:
    assert formatting.printable("größe 東京") == "größe 東京"
    assert formatting.printable("a\x1b[2Jb\n\u202e\x9b") == "a\\x1b[2Jb\\n\\u202e\\x9b"
    assert formatting.printable("\ud800") == "\\ud800"
    assert formatting.printable_lines("a\n\tb\r") == "a\n\tb\\r"
