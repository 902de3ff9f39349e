"""Renders results as text for the screen, and as the tables of docs/benchmarks.md.

python -m benchmarks.scenario.report benchmarks/results/*.json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
BEGIN = "<!-- figures: made by benchmarks/scenario/report.py -->"
END = "<!-- end of figures -->"

Result = Mapping[str, Any]


def summary(result: Result) -> str:
    """A few lines for a person: medians, memory, stored bytes, ratios."""
    width = max(len(name) for name in result["steps"])
    lines = [_title(result), ""]
    lines.append(f"{'':{width}}  {'wall s':>8} {'cpu s':>8} {'stored MiB':>11} {'memory MiB':>11}")
    for name, step in result["steps"].items():
        lines.append(
            f"{name:{width}}  {step['median_wall_s']:>8.3f} {step['median_cpu_s']:>8.3f}"
            f" {_mebibytes(step['median_stored_bytes']):>11}"
            f" {_mebibytes(step['peak_rss_anon_bytes']):>11}"
        )
    lines.append("")
    lines += [f"{ratio:6.3f}  {name}" for name, ratio in result["ratios"].items()]
    return "\n".join(lines)


def page_section(result: Result) -> str:
    """A section of the page, as Markdown."""
    machine, versions = result["machine"], result["versions"]
    lines = [
        f"### {_title(result)}",
        "",
        f"{machine['processor']}, {machine['cores']} cores; load {result['load_before']} before and"
        f" {result['load_after']} after;"
        f" {versions.get('mariadbd', '')}; kernel {result['kernel']}; commit {result['commit']};"
        f" {result['time']}.",
        "",
        "| step | wall s (median) | CPU s | stored MiB | peak RssAnon MiB |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| `{name}` | {step['median_wall_s']:.3f} | {step['median_cpu_s']:.3f}"
        f" | {_mebibytes(step['median_stored_bytes'])}"
        f" | {_mebibytes(step['peak_rss_anon_bytes'])} |"
        for name, step in result["steps"].items()
    ]
    lines += ["", "| wall time of | ratio |", "|---|---:|"]
    lines += [f"| `{name}` | {ratio:.3f} |" for name, ratio in result["ratios"].items()]
    return "\n".join(lines).replace(" | zstd", " \\| zstd").replace(" | restic", " \\| restic")


def update_page(results: Sequence[Result], page: Path) -> None:
    """Replaces what stands between the page's two marks. Raises ValueError without them."""
    text = page.read_text()
    head, found, rest = text.partition(BEGIN)
    _, ended, tail = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"{page}: the marks for the figures are missing")
    sections = "\n\n".join(page_section(result) for result in results)
    page.write_text(f"{head}{BEGIN}\n\n{sections}\n\n{END}{tail}")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scenario.report")
    parser.add_argument("results", nargs="+", type=Path, metavar="RESULT.json")
    options = parser.parse_args(arguments)
    results = [json.loads(path.read_text()) for path in options.results]
    update_page(results, PAGE)
    print(f"{PAGE}: {len(results)} results", file=sys.stderr)


def _title(result: Result) -> str:
    data = result["data"]
    size = f"{_mebibytes(data['dump_bytes'])} MiB of SQL"
    if data["kind"] == "sysbench":
        return f"{data['rows']:,} rows of 200 bytes in {data['tables']} tables, {size}"
    return f"Shop, {size}"


def _mebibytes(count: int | None) -> str:
    if count is None:
        return ""
    return f"{count / (1 << 20):,.3f}" if count < 1 << 20 else f"{count / (1 << 20):,.1f}"


if __name__ == "__main__":
    main()
