"""All cases, by vendor and topic."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

from fidelity.case import Topic

VENDORS = ("mariadb", "mysql")
_BOTH = "both"


def topics(vendor: str) -> list[Topic]:
    """What both vendors have, then what this one alone has; a module's `CASES` are its cases.

    A topic of the same name in both places is one: its cases share a database.
    """
    found: dict[str, Topic] = {}
    for place in (_BOTH, vendor):
        for name, topic in _modules(place):
            earlier = found[name].cases if name in found else ()
            found[name] = Topic(name, (*earlier, *topic.cases))
    return list(found.values())


def _modules(place: str) -> Iterator[tuple[str, Topic]]:
    for path in sorted((Path(__file__).parent / place).glob("*.py")):
        module = importlib.import_module(f"fidelity.{place}.{path.stem}")
        yield path.stem, Topic(path.stem, module.CASES)
