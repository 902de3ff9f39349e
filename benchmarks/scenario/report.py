"""Renders results as text for the screen, as the tables and charts of docs/benchmarks.md, and as
the table of ratios in README.md.

python -m benchmarks.scenario.report benchmarks/results/*.json

What a result holds is said in result.py; nothing here depends on which scenario it is of. Two
others have a form of their own: `lines` of figures and bounds (least, memory, balance,
mount_read), and the kernel's `results` per row size (micro).
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.scenario import chart

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"
README = ROOT / "README.md"
README_RATIOS = (
    "rowvault backup, full / mariadb-dump > /dev/null",
    "rowvault backup, full / mydumper -t 2 --compress",
    "rowvault backup, full / bare result stream",
    "rowvault backup, unchanged / mariadb-dump > /dev/null",
    "rowvault backup, unchanged / mariadb-dump | restic, unchanged",
    "rowvault restore, verified / mariadb < dump.sql",
    "rowvault restore, verified / myloader -t 2",
    "rowvault restore, verified / mariadb-import --use-threads=2",
    "growth, rowvault / restic",
    "whole repository, rowvault / restic",
)
"""What the README shows, whether won or lost; the page has all."""
BEGIN = "<!-- figures: made by benchmarks/scenario/report.py -->"
END = "<!-- end of figures -->"

_FACTS = {
    "load_before": "load {} before",
    "load_after": "{} after",
    "rounds": "{} rounds",
    "kernel": "kernel {}",
    "commit": "commit {}",
    "time": "{}",
}

Result = Mapping[str, Any]


def summary(result: Result) -> str:
    """A few lines for a person: medians, memory, stored bytes, ratios; or figures and bounds."""
    if "lines" in result:
        return "\n".join([result["title"], "", *map(_line, result["lines"])])
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
    for name, limit in result.get("limits", {}).items():
        lines.append(f"{limit:6.3f}  {name}   (a limit)")
    return "\n".join(lines)


def page_section(result: Result, charts: Sequence[str]) -> str:
    """A section of the page, as Markdown; `charts` are names of files beside it."""
    if "lines" in result:
        return _bounds_section(result)
    if "results" in result:
        return _kernel_section(result)
    lines = [
        f"### {_heading(result)}",
        "",
        _circumstances(result),
        "",
        *[f"![{result['title']}](benchmarks/{name})\n" for name in charts],
        *_steps_table(result),
        "",
        f"| {result.get('ratios_of', 'wall time of')} | ratio | budget |",
        "|---|---:|---:|",
    ]
    lines += [
        f"| {_code(name)} | {ratio['ratio']:.3f} | {_at_most(ratio)} |"
        for name, ratio in result["ratios"].items()
    ]
    limits = result.get("limits", {})
    if limits:
        lines += ["", "| where the limit lies | ratio |", "|---|---:|"]
    lines += [f"| {_code(name)} | {limit:.3f} |" for name, limit in limits.items()]
    return "\n".join(lines)


def _steps_table(result: Result) -> Iterator[str]:
    """Where the server was watched, also what both sides together took of all cores."""
    steps = result["steps"]
    watched = any(step.get("median_server_cpu_s") is not None for step in steps.values())
    more = (" server's CPU s | part of all cores |", "---:|---:|") if watched else ("", "")
    yield f"| step | wall s (median) | CPU s |{more[0]} stored MiB | peak RssAnon MiB |"
    yield f"|---|---:|---:|{more[1]}---:|---:|"
    cores = result["machine"].get("cores") or result["machine"].get("cpus")
    for name, step in steps.items():
        wall_s, cpu_s = step["median_wall_s"], step["median_cpu_s"]
        cells = [_code(name), f"{wall_s:.3f}", f"{cpu_s:.3f}"]
        if watched:
            server_s = step["median_server_cpu_s"]
            both = "" if server_s is None else f"{(cpu_s + server_s) / (wall_s * cores):.0%}"
            cells += ["" if server_s is None else f"{server_s:.3f}", both]
        cells += [_mebibytes(step[one]) for one in ("median_stored_bytes", "peak_rss_anon_bytes")]
        yield f"| {' | '.join(cells)} |"


def charts_of(result: Result, stem: str) -> Iterator[tuple[str, str]]:
    """(file name, SVG) of each chart of a result."""
    if result.get("curves"):
        x_axis, y_axis = result["axes"]
        yield f"{stem}-curves.svg", chart.curves(result["curves"], x_axis, y_axis)
    elif "steps" in result:
        walls = {name: step["median_wall_s"] for name, step in result["steps"].items()}
        yield f"{stem}.svg", chart.bars(walls, "s")


def update_page(results: Mapping[str, Result], page: Path) -> None:
    """Replaces what stands between the page's two marks, and the charts in the folder beside it.

    `results` are named by their files. Raises ValueError without the marks.
    """
    folder = page.with_suffix("")
    sections = []
    for stem, result in results.items():
        charts = dict(charts_of(result, stem))
        for name, content in charts.items():
            folder.mkdir(exist_ok=True)
            (folder / name).write_text(content)
        sections.append(page_section(result, list(charts)))
    _put_between_marks(page, "\n\n".join(sections))


def update_readme(results: Iterable[Result], readme: Path) -> None:
    """Replaces the table of README_RATIOS; of a ratio that several results have, the worst.

    Raises ValueError without the marks.
    """
    lines = ["| ratio | | at most |", "|---|---:|---:|"]
    known = list(results)
    for name in README_RATIOS:
        having = [result for result in known if name in result.get("ratios", ())]
        if having:
            result = max(having, key=lambda one: float(one["ratios"][name]["ratio"]))
            ratio = result["ratios"][name]
            bound = "" if ratio["at_most"] is None else ratio["at_most"]
            lines.append(f"| {_code(name)} | {_verdict(result, ratio)} | {bound} |")
    _put_between_marks(readme, "\n".join(lines))


def _put_between_marks(path: Path, content: str) -> None:
    head, found, rest = path.read_text().partition(BEGIN)
    _, ended, tail = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"{path}: the marks for the figures are missing")
    path.write_text(f"{head}{BEGIN}\n\n{content}\n\n{END}{tail}")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scenario.report")
    parser.add_argument("results", nargs="+", type=Path, metavar="RESULT.json")
    options = parser.parse_args(arguments)
    results = {path.stem: json.loads(path.read_text()) for path in options.results}
    update_page(results, PAGE)
    update_readme(results.values(), README)
    print(f"{PAGE}: {len(results)} results", file=sys.stderr)


def _heading(result: Result) -> str:
    """Two scenarios may be over the same data, so the title alone does not tell them apart."""
    return f"{result['scenario']}: {result['title']}" if "title" in result else result["scenario"]


def _circumstances(result: Result) -> str:
    """One sentence: on what, how busy, with which versions."""
    machine, versions = result["machine"], result.get("versions", {})
    facts = [f"{machine['processor']}, {machine.get('cores') or machine.get('cpus')} cores"]
    for field, text in _FACTS.items():
        if field in result:
            facts.append(text.format(result[field]))
    facts += [
        versions[one] for one in ("mariadbd", "mydumper", "restic", "borg") if one in versions
    ]
    return "; ".join(facts) + "."


def _bounds_section(result: Result) -> str:
    lines = [f"### {_heading(result)}", "", _circumstances(result), ""]
    lines += ["| figure | | bound | |", "|---|---:|---:|---|"]
    for line in result["lines"]:
        sign = "at least" if line["at_least"] else "at most"
        met = "kept" if line["met"] else "**missed**"
        lines.append(
            f"| {line['name']} | {line['figure']:.2f} {line['unit']} | {sign} {line['bound']:g} |"
            f" {met} |"
        )
    return "\n".join(lines)


def _line(line: Mapping[str, Any]) -> str:
    sign = "at least" if line["at_least"] else "at most"
    verdict = "kept" if line["met"] else "MISSED"
    figure = f"{line['figure']:.2f} {line['unit']}"
    return f"{line['name']}: {figure} ({sign} {line['bound']:g}: {verdict})"


def _kernel_section(result: Result) -> str:
    sizes = list(result["results"])
    lines = ["### The kernel, one core, MB/s (million rows/s)", "", _circumstances(result), ""]
    lines.append("| | " + " | ".join(f"{size} bytes a row" for size in sizes) + " |")
    lines.append("|---|" + "---:|" * len(sizes))
    operations = [
        name for name, one in result["results"][sizes[0]].items() if isinstance(one, dict)
    ]
    for name in operations:
        measured = [result["results"][size][name] for size in sizes]
        cells = [f"{one['mb_per_s']:,.0f} ({one['rows_per_s'] / 1e6:.2f})" for one in measured]
        lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _verdict(result: Result, ratio: Mapping[str, Any]) -> str:
    """Ratios of something else than wall times may be of Rowvault alone: nobody wins."""
    said = f"{ratio['ratio']:.3f}"
    if ratio["ratio"] >= 1 and "ratios_of" not in result:
        said = f"**{said}: the other one wins**"
    return said if _is_kept(ratio) else f"{said}, **missed**"


def _is_kept(ratio: Mapping[str, Any]) -> bool:
    return ratio["at_most"] is None or bool(ratio["ratio"] <= ratio["at_most"])


def _budget(ratio: Mapping[str, Any]) -> str:
    if ratio["at_most"] is None:
        return ""
    kept = "kept" if _is_kept(ratio) else "MISSED"
    return f"   (at most {ratio['at_most']}: {kept})"


def _at_most(ratio: Mapping[str, Any]) -> str:
    if ratio["at_most"] is None:
        return ""
    kept = "kept" if _is_kept(ratio) else "**missed**"
    return f"{ratio['at_most']}, {kept}"


def _code(name: str) -> str:
    return "`" + re.sub(r"\|", r"\\|", name) + "`"


def _mebibytes(count: int | None) -> str:
    if count is None:
        return ""
    return f"{count / (1 << 20):,.3f}" if count < 1 << 20 else f"{count / (1 << 20):,.1f}"


if __name__ == "__main__":
    main()
