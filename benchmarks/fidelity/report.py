"""Writes docs/fidelity-compared.md from the results that lie beside this file.

python -m benchmarks.fidelity.report
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "fidelity-compared.md"
RESULTS = Path(__file__).parent / "results"

Result = Mapping[str, Any]

_INTRODUCTION = """\
# What comes back, tool by tool

<!-- Made by `python -m benchmarks.fidelity.report`; edit benchmarks/fidelity instead. -->

Hard cases, each in a database of its own, carried from one server to an empty second one by each
tool, and compared by the tests' own comparer: the bytes of every value, floats in all digits, and
all that `SHOW CREATE` and `information_schema` say. A cell is *ok* when all of it is the same; else
it says what was lost or changed, and how:

- **silent**: every program ended with exit code 0;
- failed: some program ended with an error, so that somebody can know;
- named: Rowvault kept what can be kept, said in words what cannot, and ended with exit code 3.

`rows t` are the values of a table, `table t` is its definition.

`make fidelity` carries everything anew on both vendors (some minutes) and writes this page from the
results in `benchmarks/fidelity/results/`.
"""


def table(result: Result) -> str:
    """The section of one vendor, as Markdown."""
    tools = result["tools"]
    lines = [
        f"## {result['server']}",
        "",
        *(f"- {name}: {tool['how']}; {tool['version']}" for name, tool in tools.items()),
        "",
        f"| case | {' | '.join(tools)} |",
        f"|---|{'---|' * len(tools)}",
    ]
    for name, cells in result["cases"].items():
        row = " | ".join(_cell(cells[tool]) for tool in tools)
        lines.append(f"| {_cell(name)} | {row} |")
    wrong = " | ".join(str(tool["wrong"]) for tool in tools.values())
    lines.append(f"| **wrong, of {len(result['cases'])}** | {wrong} |")
    return "\n".join(lines)


def page(results: Sequence[Result]) -> str:
    """The whole page."""
    ordered = sorted(results, key=lambda result: str(result["vendor"]))
    return "\n".join([_INTRODUCTION, *(table(result) + "\n" for result in ordered)])


def read_results() -> list[Result]:
    """The last result of each vendor."""
    return [json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))]


def main() -> None:
    """The command line."""
    results = read_results()
    PAGE.write_text(page(results))
    print(f"{PAGE}: {len(results)} results", file=sys.stderr)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    main()
