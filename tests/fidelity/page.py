"""Writes docs/reference/fidelity.md: what comes back exactly, from the cases that prove it.

`make docs` runs it as `python -m fidelity.page`.
"""

from __future__ import annotations

from collections.abc import Iterator

from fidelity.accounts import CASES, NAMED, NOT_KEPT
from fidelity.case import Case, Named, Topic
from fidelity.topics import VENDORS, topics

_TITLES = {"mariadb": "MariaDB", "mysql": "MySQL"}
_HEAD = """\
# Fidelity: what comes back exactly

<!-- Written by `make docs` from the cases in tests/fidelity; a test compares. Do not edit. -->

Each row stands for cases that the tests carry from one server to an empty one, by `restore` and
by `dump` through the vendor's own client; then an independent comparer reads both servers, byte by
byte. **Kept** means: no difference at all. What is not kept is named by the backup, which
then ends with exit code 3.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(line for vendor in VENDORS for line in _vendor(vendor))])


def _vendor(vendor: str) -> Iterator[str]:
    cases = [topic for topic in topics(vendor) if topic.cases]
    yield f"## {_TITLES[vendor]}\n"
    for topic in cases:
        yield f"### {topic.name.replace('_', ' ').capitalize()}\n"
        yield "| type or object | outcome | shown by |"
        yield "|---|---|---|"
        yield from _rows(topic)
        yield ""
    yield from _accounts(vendor)


def _accounts(vendor: str) -> Iterator[str]:
    """Users and grants belong to no database, and come with an option of their own."""
    yield "### Users, roles and grants: with `--users`\n"
    yield "| type or object | outcome | shown by |"
    yield "|---|---|---|"
    by_subject: dict[str, list[str]] = {}
    for case in CASES[vendor]:
        by_subject.setdefault(case.subject, []).append(case.line)
    for subject, lines in by_subject.items():
        yield f"| {_cell(subject)} | kept | {_cell('; '.join(lines))} |"
    yield f"| {'; '.join(NAMED)} | named | tests/server/test_users.py |"
    yield f"| {'; '.join(NOT_KEPT)} | not kept | |"
    yield ""


def _rows(topic: Topic) -> Iterator[str]:
    by_row: dict[tuple[str, str], list[str]] = {}
    for case in topic.cases:
        by_row.setdefault((case.subject, _outcome(case)), []).append(case.line)
    for (subject, outcome), lines in by_row.items():
        yield f"| {_cell(subject)} | {_cell(outcome)} | {_cell('; '.join(lines))} |"


def _outcome(case: Case) -> str:
    if isinstance(case.outcome, Named):
        return f"named: {case.outcome.reason}"
    return f"kept; {case.outcome.but}" if case.outcome.but else "kept"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
