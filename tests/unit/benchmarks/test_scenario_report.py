"""The report of scenarios: the page's section, its charts, and where it puts them."""

from __future__ import annotations

import os
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from benchmarks.scenario import chart, report
from benchmarks.scenario.measure import Measurement, process_cpu_s, run
from benchmarks.scenario.peers import Run
from benchmarks.scenario.result import Budget, add_rounds

STEP = "rowvault backup, full"
PEER = "mariadb-dump | zstd -1"


def made(at_most: float | None) -> dict[str, Any]:
    """A result of three rounds in which the step takes half as long as the peer."""
    result: dict[str, Any] = {
        "scenario": "backup",
        "title": "Shop <1>",
        "time": "2026-01-01T00:00:00+00:00",
        "commit": "abc",
        "machine": {"processor": "P", "cores": 2},
        "versions": {"mydumper": "mydumper 1"},
        "kernel": "compiled",
        "load_before": 0.1,
    }
    rounds = [
        {STEP: Run(Measurement(wall, 1.0, 1 << 20, b""), 5), PEER: Run(Measurement(2.0, 1, 1, b""))}
        for wall in (1.0, 9.0, 0.5)
    ]
    add_rounds(result, rounds, [Budget(STEP, PEER, at_most), Budget(STEP, "not measured")])
    return result


@pytest.mark.parametrize(
    ("at_most", "said"), [(0.5, "0.5, kept"), (0.4, "0.4, **missed**"), (None, "| 0.500 |  |")]
)
def test_a_ratio_of_medians_is_told_with_its_budget(at_most: float | None, said: str) -> None:
    section = report.page_section(made(at_most), [])
    (line,) = [line for line in section.splitlines() if "zstd -1`" in line and " / " in line]
    assert said in line
    assert "| 0.500 |" in line
    assert "mariadb-dump \\| zstd" in line
    assert "not measured" not in section


def test_what_both_sides_took_of_all_cores_is_told() -> None:
    result = made(None)
    rounds = [{STEP: Run(Measurement(2.0, 1.5, 1, b""), server_cpu_s=1.0)}]
    add_rounds(result, rounds, [])
    section = report.page_section(result, [])
    (line,) = [line for line in section.splitlines() if line.startswith(f"| `{STEP}` |")]
    assert line.startswith(f"| `{STEP}` | 2.000 | 1.500 | 1.000 | 62% |")


def test_a_measured_program_may_keep_its_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    program = "import sys; print(sys.dont_write_bytecode)"
    assert run([sys.executable, "-c", program]).output == b"False\n"


def test_the_cpu_time_of_a_process_is_that_of_all_its_threads() -> None:
    before = process_cpu_s(os.getpid())
    own = time.process_time()
    while time.process_time() - own < 0.1:
        pass
    assert process_cpu_s(os.getpid()) - before >= 0.08


def test_the_page_takes_sections_and_charts(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.update_page({"shop": made(0.5)}, page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "(benchmarks/shop.svg)" in text
    drawn = ElementTree.parse(tmp_path / "benchmarks" / "shop.svg").getroot()
    shown = [element.text for element in drawn.iter() if element.tag.endswith("text")]
    assert STEP in shown
    assert "1.00 s" in shown


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("nothing to replace")
    with pytest.raises(ValueError, match="marks"):
        report.update_page({}, page)
    assert page.read_text() == "nothing to replace"


def test_curves_end_where_the_largest_values_are() -> None:
    drawn = ElementTree.fromstring(chart.curves({"a": [(0, 0), (10, 4)], "b": [(5, 2)]}, "x", "y"))
    lines = [one.get("points") for one in drawn.iter() if one.tag.endswith("polyline")]
    assert lines == ["70.0,276.0 470.0,16.0", "270.0,146.0"]


def test_the_readme_shows_what_is_lost_like_what_is_won(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    dump, _, stream, unchanged, restic = report.README_RATIOS[:5]
    quick = made(0.5)
    quick["ratios"] |= {dump: {"ratio": 0.4, "at_most": 0.65}, stream: {"ratio": 1, "at_most": 2}}
    slow = made(0.5)
    slow["ratios"] = {
        dump: {"ratio": 0.7, "at_most": 0.65},
        stream: {"ratio": 1.25, "at_most": None},
        unchanged: {"ratio": 0.25, "at_most": 0.5},
        restic: {"ratio": 0.125, "at_most": None},
    }
    report.update_readme([quick, slow, {"lines": []}], readme)
    assert readme.read_text().splitlines() == [
        "before",
        report.BEGIN,
        "",
        "| ratio | | at most |",
        "|---|---:|---:|",
        f"| `{dump}` | 0.700, **missed** | 0.65 |",
        f"| `{stream}` | **1.250: the other one wins** |  |",
        f"| `{unchanged}` | 0.250 | 0.5 |",
        "| `rowvault backup, unchanged / mariadb-dump \\| restic, unchanged` | 0.125 |  |",
        "",
        report.END,
        "after",
    ]


def test_the_readme_has_the_figures_of_the_page() -> None:
    """Each figure of its table stands on the page of benchmarks, too, and there are ten at most."""
    page = report.PAGE.read_text()
    table = report.README.read_text().partition(report.BEGIN)[2].partition(report.END)[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| `")]
    assert 0 < len(rows) <= 10
    for name, figure, _ in rows:
        said = [line for line in page.splitlines() if line.startswith(f"{name} | ")]
        worst = max(float(line.split(" | ")[1]) for line in said)
        assert f"{worst:.3f}" in figure, name


def test_a_limit_is_told_on_the_page_and_on_the_screen() -> None:
    result = made(0.5) | {"limits": {"stream / dump": 0.344}}
    assert "| `stream / dump` | 0.344 |" in report.page_section(result, []).splitlines()
    assert report.summary(result).splitlines()[-1] == " 0.344  stream / dump   (a limit)"


def test_bounds_and_the_kernel_have_sections_too() -> None:
    machine = {"processor": "P", "cpus": 2}
    line = {"name": "ls", "figure": 1.5, "unit": "s", "bound": 1, "at_least": False, "met": False}
    mount = {"scenario": "mount_read", "machine": machine, "kernel": "compiled", "lines": [line]}
    assert "| ls | 1.50 s | at most 1 | **missed** |" in report.page_section(mount, [])
    said = report.summary({**mount, "title": "Mounted"}).splitlines()
    assert said == ["Mounted", "", "ls: 1.50 s (at most 1: MISSED)"]
    assert list(report.charts_of(mount, "mount")) == []
    cut = {"mb_per_s": 1234.5, "rows_per_s": 6_500_000, "seconds": 1.0}
    micro = {"machine": machine, "kernel": "compiled", "results": {"190": {"x": 1.0, "cut": cut}}}
    section = report.page_section(micro, [])
    assert "| cut | 1,234 (6.50) |" in section
    assert "P, 2 cores; kernel compiled." in section
