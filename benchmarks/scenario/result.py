"""The result of a scenario: what all of them state, and what report.py can read.

| field | holds |
|---|---|
| `scenario`, `title`, `time`, `commit`, `machine`, `versions`, `kernel` | what, on what |
| `load_before`, `load_after` | over the last minute; above the cores, figures are noise |
| `data`, `options` | what it was measured with; free in form |
| `steps` | per name: wall seconds of each run, medians, peak memory, stored bytes, server's CPU |
| `ratios` | per `step / peer`: the medians' `ratio`, and `at_most` where it has a budget |
| `ratios_of` | optional; what the ratios are of, else wall times |
| `limits` | optional; per name a ratio that nothing can be below, which reads what was read |
| `curves` | optional; per name a list of (x, y), for charts; `axes` names x and y |
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.scenario.machine import commit, kernel_in_use, load, machine, versions
from benchmarks.scenario.peers import Run, rowvault_program
from benchmarks.scenario.report import summary

Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Budget:
    """A ratio of two steps' wall times that is reported, and its bound where it has one."""

    step: str
    peer: str
    at_most: float | None = None


def heading(scenario: str, title: str, data: Mapping[str, object], **more: object) -> Result:
    """The fields that do not depend on a measurement. Call it before the first one."""
    return {
        "scenario": scenario,
        "title": title,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(Path(__file__).parent),
        "machine": machine(),
        "load_before": load(),
        "versions": versions(rowvault_program()),
        "kernel": kernel_in_use(rowvault_program(), {}),
        "data": dict(data),
        "options": more,
    }


def add_rounds(
    result: Result, rounds: Sequence[Mapping[str, Run]], budgets: Iterable[Budget]
) -> None:
    """Puts `steps`, `ratios` and `load_after` into a result. A round holds a run per step."""
    names = list(dict.fromkeys(name for one in rounds for name in one))
    steps = {name: [one[name] for one in rounds if name in one] for name in names}
    result["load_after"] = load()
    result["rounds"] = len(rounds)
    result["steps"] = {name: _step(runs) for name, runs in steps.items()}
    result["ratios"] = {
        f"{one.step} / {one.peer}": {
            "ratio": round(median_wall_s(steps[one.step]) / median_wall_s(steps[one.peer]), 3),
            "at_most": one.at_most,
        }
        for one in budgets
        if one.step in steps and one.peer in steps
    }


def median_wall_s(runs: Sequence[Run]) -> float:
    """The median of the wall times."""
    return statistics.median(run.measurement.wall_s for run in runs)


def write(result: Result, options: argparse.Namespace) -> None:
    """JSON into the file `options.out`, else to stdout; a few lines for a person to stderr."""
    text = json.dumps(result, indent=2)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text + "\n")
    else:
        print(text)
    print(summary(result), file=sys.stderr)


def _step(runs: Sequence[Run]) -> dict[str, object]:
    stored = [run.stored_bytes for run in runs if run.stored_bytes is not None]
    server = [run.server_cpu_s for run in runs if run.server_cpu_s is not None]
    return {
        "wall_s": [round(run.measurement.wall_s, 3) for run in runs],
        "median_wall_s": round(median_wall_s(runs), 3),
        "median_cpu_s": round(statistics.median(run.measurement.cpu_s for run in runs), 3),
        "median_server_cpu_s": round(statistics.median(server), 3) if server else None,
        "peak_rss_anon_bytes": max(run.measurement.peak_rss_anon_bytes for run in runs),
        "median_stored_bytes": int(statistics.median(stored)) if stored else None,
        "details": runs[-1].details,
    }
