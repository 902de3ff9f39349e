"""`python -m benchmarks.scenario`: the backup scenario."""

from benchmarks.scenario.backup import main

main()
