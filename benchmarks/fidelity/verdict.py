"""What became of one case, in words that fit into a table."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.fidelity.carriers import Carriage

OK = "ok"


def verdict(
    made: Mapping[str, str], found: Mapping[str, str], carriage: Carriage, database: str
) -> str:
    """`ok`; or what is lost, what is changed, and whether the tool said so."""
    lost = [_short(label, database) for label in made if label not in found]
    changed = [
        _short(label, database)
        for label, mark in made.items()
        if label in found and found[label] != mark
    ]
    added = [_short(label, database) for label in found if label not in made]
    if not (lost or changed or added):
        return OK if carriage.is_success or carriage.is_named else "ok, but it failed"
    words = []
    if changed:
        words.append(f"changed: {', '.join(changed)}")
    if lost:
        words.append(f"lost: {', '.join(lost)}")
    if added:
        words.append(f"made up: {', '.join(added)}")
    return f"{_manner(carriage)}: {'; '.join(words)}"


def is_wrong(text: str) -> bool:
    """Whether something is not as it was, and the tool named nothing that it leaves out."""
    return text != OK and not text.startswith("named")


def _manner(carriage: Carriage) -> str:
    if carriage.is_named:
        return "named"
    return "**silent**" if carriage.is_success else "failed"


def _short(label: str, database: str) -> str:
    kind, _, name = label.partition(" ")
    if kind == "database":
        return "database"
    name = name.removeprefix(f"{database}.").removeprefix("body ")
    return f"{kind} {name}" if name.isalnum() else kind
