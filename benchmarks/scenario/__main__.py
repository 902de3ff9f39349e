"""`python -m benchmarks.scenario [NAME] [options]`: one scenario; without a name, `backup`.

A scenario is a module of this folder whose `main(arguments)` measures, and writes its result as
`result.py` makes it; its name here is all that it takes to hook in.
"""

import importlib
import sys

SCENARIOS = ("backup", "sizes", "restore", "growth", "least", "memory", "balance")


def main() -> None:
    """The command line."""
    arguments = sys.argv[1:]
    if arguments[:1] and not arguments[0].startswith("-"):
        name, arguments = arguments[0], arguments[1:]
    else:
        name = "backup"
    if name not in SCENARIOS:
        sys.exit(f"{name} is no scenario; there are: {', '.join(SCENARIOS)}")
    importlib.import_module(f"benchmarks.scenario.{name}").main(arguments)


if __name__ == "__main__":
    main()
