"""Charts as SVG, by hand: bars of wall times, and curves over the size of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

Curve = Sequence[tuple[float, float]]

_WIDTH = 720
_LABEL_WIDTH = 250
_BAR = 20
_COLOURS = ("#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#d68910", "#5d6d7e", "#117a65", "#a04000")


def bars(values: Mapping[str, float], unit: str) -> str:
    """One horizontal bar each, in the order given; what is Rowvault's stands out."""
    longest = max(values.values(), default=1.0) or 1.0
    room = _WIDTH - _LABEL_WIDTH - 80
    parts = []
    for row, (name, value) in enumerate(values.items()):
        y = 8 + row * (_BAR + 8)
        width = max(1.0, room * value / longest)
        colour = _COLOURS[0] if name.startswith("rowvault") else "#b0b7bf"
        parts.append(_text(_LABEL_WIDTH - 8, y + 14, name, "end"))
        parts.append(
            f'<rect x="{_LABEL_WIDTH}" y="{y}" width="{width:.1f}" height="{_BAR}"'
            f' fill="{colour}"/>'
        )
        parts.append(_text(_LABEL_WIDTH + width + 6, y + 14, f"{value:,.2f} {unit}", "start"))
    return _document(16 + len(values) * (_BAR + 8), parts)


def curves(named: Mapping[str, Curve], x_axis: str, y_axis: str) -> str:
    """Lines through points, both axes from zero."""
    left, top, width, height = 70, 16, 400, 260
    points = [point for curve in named.values() for point in curve]
    most_x = max((x for x, _ in points), default=1.0) or 1.0
    most_y = max((y for _, y in points), default=1.0) or 1.0
    parts = [
        f'<path d="M{left} {top}V{top + height}H{left + width}" fill="none" stroke="#666"/>',
        _text(left + width / 2, top + height + 34, x_axis, "middle"),
        _text(left - 6, top - 4, y_axis, "middle"),
    ]
    for share in (0.25, 0.5, 0.75, 1.0):
        x, y = left + width * share, top + height * (1 - share)
        parts.append(_text(x, top + height + 16, f"{most_x * share:,.4g}", "middle"))
        parts.append(_text(left - 6, y + 4, f"{most_y * share:,.3g}", "end"))
        parts.append(f'<path d="M{left} {y:.1f}H{left + width}" stroke="#ddd"/>')
    for number, (name, curve) in enumerate(named.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        places = [
            f"{left + width * x / most_x:.1f},{top + height * (1 - y / most_y):.1f}"
            for x, y in curve
        ]
        parts.append(
            f'<polyline points="{" ".join(places)}" fill="none" stroke="{colour}"'
            ' stroke-width="2"/>'
        )
        y = top + 14 + 18 * number
        parts.append(
            f'<rect x="{left + width + 16}" y="{y - 9}" width="10" height="10" fill="{colour}"/>'
        )
        parts.append(_text(left + width + 32, y, name, "start"))
    return _document(top + height + 44, parts)


def _text(x: float, y: float, content: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(content)}</text>'


def _document(height: float, parts: Sequence[str]) -> str:
    lines = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}"'
        f' width="{_WIDTH}" height="{height:.0f}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n{lines}\n</svg>\n'
    )
