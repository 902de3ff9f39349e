"""Lists: aligned columns in a pipe, a thin table on a terminal."""

import pytest

from rowvault.cli.output import stdout
from rowvault.cli.output.table import Heading, write_facts, write_table

HEADINGS = (Heading("name"), Heading("rows", numeric=True))
ROWS = [["orders", "1,000"], ["[bold]x", "7"]]


def test_aligned_in_a_pipe(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    write_table(HEADINGS, ROWS)
    assert capsysbinary.readouterr().out.decode().splitlines() == [
        "name      rows",
        "orders   1,000",
        "[bold]x      7",
    ]


def test_a_table_on_a_terminal(
    capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stdout, "is_terminal", lambda: True)
    write_table(HEADINGS, ROWS)
    text = capsysbinary.readouterr().out.decode()
    assert "─" in text
    assert "[bold]x" in text


@pytest.mark.parametrize("columns", [200, 60, 44, 20])
def test_ids_and_figures_stay_whole_on_a_narrow_terminal(
    capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setattr(stdout, "is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    headings = (Heading("id"), Heading("source", foldable=True), Heading("rows", numeric=True))
    write_table(
        headings, [["0123456789abcdef", "mysql://someone@db.example.org:3306/", "1,234,567"]]
    )
    text = capsysbinary.readouterr().out.decode()
    assert "0123456789abcdef" in text
    assert "1,234,567" in text
    assert ("─" in text) == (columns > 40)
    assert columns == 20 or all(len(line) <= columns for line in text.splitlines())


def test_facts_leave_out_what_is_empty(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    write_facts([("id", "ab"), ("tags", ""), ("source", "x")])
    assert capsysbinary.readouterr().out == b"id      ab\nsource  x\n"
