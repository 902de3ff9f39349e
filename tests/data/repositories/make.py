"""Makes a golden repository of the current format: python tests/data/repositories/make.py NAME.

NAME ends with `-plain` or `-encrypted`; with `users` in it, it holds users and grants, too. One
that exists is never touched: later versions must read what earlier ones wrote.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from rowvault.core.model import ObjectDefinition, ObjectKind  # noqa: E402
from rowvault.core.monitor import SilentMonitor  # noqa: E402
from rowvault.repository.prune import prune  # noqa: E402
from rowvault.repository.prune_plan import PruneLimits  # noqa: E402
from rowvault.repository.prune_report import PruneRequest  # noqa: E402
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

GONE = {("shop", "orders"): sample_rows(80, salt="gone")}
"""What a forgotten snapshot holds."""


_USER, _SHOP = "`app`@`%`", "`shop`.*"
ACCOUNTS = (
    ObjectDefinition(ObjectKind.ROLE, "", "`reader`", b"CREATE ROLE `reader`"),
    ObjectDefinition(
        ObjectKind.USER,
        "",
        _USER,
        b"CREATE USER `app`@`%` IDENTIFIED BY PASSWORD '*0F'",
        (("timestamp", "1700000000"),),
        order=1,
    ),
    ObjectDefinition(
        ObjectKind.PASSWORD,
        "",
        f"{_USER} 1",
        b"ALTER USER `app`@`%` PASSWORD EXPIRE INTERVAL 30 DAY",
        (),
        _USER,
        1,
    ),
    ObjectDefinition(
        ObjectKind.GRANT, "", f"{_USER} on {_SHOP}", b"GRANT SELECT ON `shop`.* TO `app`@`%`",
        (), _USER, 1,
    ),
)  # fmt: skip


def accounts_of(name: str) -> tuple[ObjectDefinition, ...]:
    """The users and grants of each snapshot in the golden repository of this name."""
    return ACCOUNTS if "users" in name else ()


def keep_house(repository: Repository) -> None:
    """Leaves a condemned round, a forgotten snapshot, several keys and the list of removed ones."""
    pruned = take_snapshot(repository, {("shop", "orders"): sample_rows(90, salt="pruned")}, 2)
    repository.forget(pruned)
    with repository.begin("backup", SilentMonitor()):
        prune(repository, PruneRequest(limits=PruneLimits(max_unused=0)), SilentMonitor())
    repository.forget(take_snapshot(repository, GONE, 3, ["gone"]))
    keys = repository.keys
    keys.add(b"golden second", "second")
    keys.remove(keys.add(b"golden removed", "removed").id)


def main(name: str) -> None:
    """Writes the repository and, beside it, what must be read from it."""
    place = HERE / name
    if place.exists():
        raise SystemExit(f"{place} exists; golden repositories are never rewritten")
    password = PASSWORD if name.endswith("-encrypted") else None
    with Repository.create(LocalStorage(place), password, SMALL) as repository:
        snapshots = [
            take_snapshot(repository, OLD, 0, ["first"], accounts_of(name)),
            take_snapshot(repository, NEW, 1, ["second", "größer"], accounts_of(name)),
        ]
        if "kept" in name:
            keep_house(repository)
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
