"""Numbers, times and names as people read them."""

from __future__ import annotations

import unicodedata
from datetime import datetime

from rowvault.core.documents import iso_time

__all__ = [
    "format_bytes",
    "format_count",
    "format_seconds",
    "format_time",
    "iso_time",
    "plural",
    "printable",
    "printable_lines",
]

_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")


def format_bytes(size: int) -> str:
    """Bytes in binary units, one decimal: `1.2 MiB`."""
    if abs(size) < 1024:
        return f"{size} B"
    value = float(size)
    for unit in _UNITS:
        value /= 1024
        if abs(value) < 1023.95 or unit == _UNITS[-1]:
            break
    return f"{value:.1f} {unit}"


def format_count(number: int) -> str:
    """A number with thousands separated: `1,234`."""
    return f"{number:,}"


def plural(number: int, noun: str) -> str:
    """`1 table`, `2,000 tables`."""
    return f"{format_count(number)} {noun}{'' if number == 1 else 's'}"


def format_seconds(seconds: float) -> str:
    """A duration: `0.42 s`, `3 min 12 s`, `2 h 05 min`."""
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def format_time(time: datetime) -> str:
    """A moment for a list, in the zone of this run: `2026-11-22 18:00:00`.

    The hour that clocks show twice has its offset behind it.
    """
    from rowvault.cli.output.zone import shown_zone  # start-up time, and `zone` needs `settings`

    zone = shown_zone()
    return zone.text(time) if zone.is_repeated(time) else zone.text(time)[:19]


def printable(text: str) -> str:
    """Text with control characters and lone surrogates escaped, so that no name moves a cursor."""
    if text.isprintable():
        return text
    return "".join(
        character
        if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        for character in text
    )


def printable_lines(text: str) -> str:
    """As `printable`, keeping line ends and tabs: for messages and statements."""
    return "\n".join(
        "\t".join(printable(part) for part in line.split("\t")) for line in text.split("\n")
    )
