"""The comparison's verdicts, and its page."""

from __future__ import annotations

import pytest
from benchmarks.fidelity import report
from benchmarks.fidelity.carriers import Carriage
from benchmarks.fidelity.verdict import is_wrong, verdict

MADE = {"database d": "1", "table d.t": "2", "rows d.t": "3", "view d.v": "4"}
FINE = Carriage(is_success=True, is_named=False, said="")
NAMED = Carriage(is_success=False, is_named=True, said="v is left out")
FAILED = Carriage(is_success=False, is_named=False, said="error")
LESS = {label: mark for label, mark in MADE.items() if label != "view d.v"}


@pytest.mark.parametrize(
    ("found", "carriage", "expected", "wrong"),
    [
        (MADE, FINE, "ok", False),
        (MADE, NAMED, "ok", False),
        (MADE, FAILED, "ok, but it failed", True),
        (LESS, FINE, "**silent**: lost: view v", True),
        (LESS, NAMED, "named: lost: view v", False),
        (LESS | {"rows d.t": "x"}, FAILED, "failed: changed: rows t; lost: view v", True),
        (MADE | {"table d.v": "5"}, FINE, "**silent**: made up: table v", True),
    ],
)
def test_a_verdict(found: dict[str, str], carriage: Carriage, expected: str, wrong: bool) -> None:
    text = verdict(MADE, found, carriage, "d")
    assert text == expected
    assert is_wrong(text) == wrong


def test_the_page_is_what_the_results_say() -> None:
    results = report.read_results()
    assert {result["vendor"] for result in results} == {"mariadb", "mysql"}
    assert report.PAGE.read_text() == report.page(results)
