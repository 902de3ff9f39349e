"""Figures that have a bound of their own, beside no peer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One figure and its bound."""

    name: str
    figure: float
    unit: str
    bound: float
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the figure keeps the bound."""
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        verdict = "met" if self.is_met else "NOT MET"
        return (
            f"{self.name:<44} {self.figure:>9.2f} {self.unit:<5} {sign} {self.bound:g}  {verdict}"
        )


def line_documents(lines: Iterable[Line]) -> list[dict[str, object]]:
    """What a result holds of them."""
    return [asdict(line) | {"met": line.is_met} for line in lines]
