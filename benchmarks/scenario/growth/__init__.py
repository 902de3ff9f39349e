"""How repositories grow with a history: thirty days of a shop, or one day of sysbench's rows.

    python -m benchmarks.scenario growth --days 30 --out result.json
    python -m benchmarks.scenario growth --sysbench 1000000 --out result.json

Each day is backed up by Rowvault and, from the same `mariadb-dump`, by restic and borg. Growth is
the sum of the sizes of all files of a repository, after less before. The server writes a binary
log (ROW, FULL, not compressed) of the same changes.
"""

from benchmarks.scenario.growth.scenario import main

__all__ = ["main"]
