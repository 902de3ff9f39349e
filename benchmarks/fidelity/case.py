"""A thing that is hard to carry from one server to another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HardCase:
    """Statements that make it in a database of its own; one session runs them."""

    name: str
    """A row of the table."""
    makes: tuple[str | bytes, ...]
