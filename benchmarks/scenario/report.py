"""Renders results as text for the screen, and as the tables and charts of docs/benchmarks.md.

python -m benchmarks.scenario.report benchmarks/results/*.json

What a result holds is said in result.py; nothing here depends on which scenario it is of.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.scenario import chart

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
BEGIN = "<!-- figures: made by benchmarks/scenario/report.py -->"
END = "<!-- end of figures -->"

Result = Mapping[str, Any]


def summary(result: Result) -> str:
    """A few lines for a person: medians, memory, stored bytes, ratios."""
    width = max(len(name) for name in result["steps"])
    lines = [result["title"], ""]
    lines.append(f"{'':{width}}  {'wall s':>8} {'cpu s':>8} {'stored MiB':>11} {'memory MiB':>11}")
    for name, step in result["steps"].items():
        lines.append(
            f"{name:{width}}  {step['median_wall_s']:>8.3f} {step['median_cpu_s']:>8.3f}"
            f" {_mebibytes(step['median_stored_bytes']):>11}"
            f" {_mebibytes(step['peak_rss_anon_bytes']):>11}"
        )
    lines.append("")
    for name, ratio in result["ratios"].items():
        lines.append(f"{ratio['ratio']:6.3f}  {name}{_budget(ratio)}")
    return "\n".join(lines)


def page_section(result: Result, charts: Sequence[str]) -> str:
    """A section of the page, as Markdown; `charts` are names of files beside it."""
    machine, versions = result["machine"], result["versions"]
    peers = ", ".join(versions[name] for name in ("mydumper", "restic", "borg") if name in versions)
    lines = [
        f"### {result['title']}",
        "",
        f"{machine['processor']}, {machine['cores']} cores; load {result['load_before']} before and"
        f" {result['load_after']} after; {result['rounds']} rounds;"
        f" {versions.get('mariadbd', '')}; {peers}; kernel {result['kernel']};"
        f" commit {result['commit']}; {result['time']}.",
        "",
        *[f"![{result['title']}](benchmarks/{name})\n" for name in charts],
        "| step | wall s (median) | CPU s | stored MiB | peak RssAnon MiB |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {_code(name)} | {step['median_wall_s']:.3f} | {step['median_cpu_s']:.3f}"
        f" | {_mebibytes(step['median_stored_bytes'])}"
        f" | {_mebibytes(step['peak_rss_anon_bytes'])} |"
        for name, step in result["steps"].items()
    ]
    lines += ["", "| wall time of | ratio | budget |", "|---|---:|---:|"]
    lines += [
        f"| {_code(name)} | {ratio['ratio']:.3f} | {_at_most(ratio)} |"
        for name, ratio in result["ratios"].items()
    ]
    return "\n".join(lines)


def charts_of(result: Result, stem: str) -> Iterator[tuple[str, str]]:
    """(file name, SVG) of each chart of a result."""
    if result.get("curves"):
        x_axis, y_axis = result["axes"]
        yield f"{stem}-curves.svg", chart.curves(result["curves"], x_axis, y_axis)
    else:
        walls = {name: step["median_wall_s"] for name, step in result["steps"].items()}
        yield f"{stem}.svg", chart.bars(walls, "s")


def update_page(results: Mapping[str, Result], page: Path) -> None:
    """Replaces what stands between the page's two marks, and the charts in the folder beside it.

    `results` are named by their files. Raises ValueError without the marks.
    """
    text = page.read_text()
    head, found, rest = text.partition(BEGIN)
    _, ended, tail = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"{page}: the marks for the figures are missing")
    folder = page.with_suffix("")
    folder.mkdir(exist_ok=True)
    sections = []
    for stem, result in results.items():
        charts = dict(charts_of(result, stem))
        for name, content in charts.items():
            (folder / name).write_text(content)
        sections.append(page_section(result, list(charts)))
    page.write_text(f"{head}{BEGIN}\n\n" + "\n\n".join(sections) + f"\n\n{END}{tail}")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scenario.report")
    parser.add_argument("results", nargs="+", type=Path, metavar="RESULT.json")
    options = parser.parse_args(arguments)
    results = {path.stem: json.loads(path.read_text()) for path in options.results}
    update_page(results, PAGE)
    print(f"{PAGE}: {len(results)} results", file=sys.stderr)


def _budget(ratio: Mapping[str, Any]) -> str:
    if ratio["at_most"] is None:
        return ""
    kept = "kept" if ratio["ratio"] <= ratio["at_most"] else "MISSED"
    return f"   (at most {ratio['at_most']}: {kept})"


def _at_most(ratio: Mapping[str, Any]) -> str:
    if ratio["at_most"] is None:
        return ""
    kept = "kept" if ratio["ratio"] <= ratio["at_most"] else "**missed**"
    return f"{ratio['at_most']}, {kept}"


def _code(name: str) -> str:
    return "`" + re.sub(r"\|", r"\\|", name) + "`"


def _mebibytes(count: int | None) -> str:
    if count is None:
        return ""
    return f"{count / (1 << 20):,.3f}" if count < 1 << 20 else f"{count / (1 << 20):,.1f}"


if __name__ == "__main__":
    main()
