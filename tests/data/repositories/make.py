"""Makes a golden repository of the current format: python tests/data/repositories/make.py NAME.

NAME ends with `-plain` or `-encrypted`. One that exists is never touched: later versions must read
what earlier ones wrote.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from rowvault.repository.repository import Repository  # noqa: E402
from rowvault.storage import LocalStorage  # noqa: E402
from support.sample_repository import SMALL, sample_rows, take_snapshot  # noqa: E402

PASSWORD = b"golden password"
OLD = {("shop", "orders"): sample_rows(120), ("shop", "empty"): []}
NEW = {
    ("shop", "orders"): [*OLD["shop", "orders"][:100], *sample_rows(30, salt="n")[20:]],
    ("shop", "empty"): [],
    # One row larger than the largest block: fragments.
    ("shop", "large"): [(b"1", b"x" * 3000 + bytes(range(65, 91)) * 40)],
}


def main(name: str) -> None:
    """Writes the repository and, beside it, what must be read from it."""
    place = HERE / name
    if place.exists():
        raise SystemExit(f"{place} exists; golden repositories are never rewritten")
    password = PASSWORD if name.endswith("-encrypted") else None
    with Repository.create(LocalStorage(place), password, SMALL) as repository:
        snapshots = [
            take_snapshot(repository, OLD, 0, ["first"]),
            take_snapshot(repository, NEW, 1, ["second", "größer"]),
        ]
        expected = [
            {
                "id": snapshot.id,
                "manifest": snapshot.manifest.id.hex(),
                "tags": repository.tags(snapshot.id),
                "roots": {
                    record.definition.label: record.root.id.hex()
                    for record in repository.manifest(snapshot).tables()
                },
            }
            for snapshot in snapshots
        ]
    (HERE / f"{name}.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
