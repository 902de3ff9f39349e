"""The tour that `rowvault demo` gives: real commands in processes of their own, then a proof."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from rowvault.cli.output import stdout
from rowvault.cli.output.formatting import plural
from rowvault.commands.demo_shop import (
    CHANGES,
    TableChange,
    change_shop,
    copy_shop,
    first_difference,
    make_shop,
)
from rowvault.core.errors import RowvaultError, VerificationError

_ENVIRONMENT = {"ROWVAULT_REPOSITORY": "vault", "ROWVAULT_PASSWORD": "demo"}
_SHOP = "sqlite:///shop.db"
_RESTORED = "sqlite:///restored.db"


@dataclass(frozen=True, slots=True)
class TourResult:
    """What the tour made and proved."""

    snapshots: list[str]
    """Ids, oldest first."""
    tables: int
    rows: int
    """Rows of the restored database, each compared."""


class Tour:
    """Walks through the main job in one directory."""

    def __init__(self, directory: Path, show: bool) -> None:
        self._directory = directory
        self._show = show

    def run(self) -> TourResult:
        """All steps. Raises VerificationError when a figure or a row is not as it must be."""
        shop, kept, restored = (
            self._directory / name for name in ("shop.db", "as-it-was.db", "restored.db")
        )
        rows = make_shop(shop)
        self._tell(f"A shop in SQLite: {plural(len(CHANGES), 'table')}, {plural(rows, 'row')}.")
        settings = " ".join(f"{name}={value}" for name, value in _ENVIRONMENT.items())
        self._type(f"cd {shlex.quote(str(self._directory))}", f"export {settings}")
        self._rowvault("init")
        self._rowvault("backup", _SHOP, "--tag", "before")
        copy_shop(shop, kept)
        change_shop(shop)
        self._tell(f"A day passes: {_told(_sum_of_changes())}.")
        self._rowvault("backup", _SHOP, "--tag", "after")
        self._rowvault("snapshots")
        self._rowvault("diff", "latest~1", "latest")
        self._check_difference()
        self._rowvault("restore", "latest~1", _RESTORED)
        self._compare(kept, restored)
        self._rowvault("check", "--read-data")
        self._tell(
            f"verified: restored.db holds what shop.db held before the day, {plural(rows, 'row')} "
            "compared value by value without Rowvault."
        )
        return TourResult(self._snapshot_ids(), len(CHANGES), rows)

    def _rowvault(self, *arguments: str) -> None:
        """Shows and runs one command line. Raises RowvaultError when it fails."""
        self._type(_line(arguments))
        done = self._process(arguments, capture=not self._show)
        if done.returncode:
            self._fail(arguments, done)

    def _ask(self, *arguments: str) -> object:
        """The JSON that a command prints, not shown. Raises RowvaultError when it fails."""
        done = self._process([*arguments, "--json"], capture=True)
        if done.returncode:
            self._fail(arguments, done)
        return json.loads(done.stdout)

    def _process(
        self, arguments: Sequence[str], capture: bool
    ) -> subprocess.CompletedProcess[bytes]:
        stdout.flush()
        # The user's own password settings must not reach the tour's repository.
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("ROWVAULT_P")
        }
        return subprocess.run(
            [sys.executable, "-P", "-m", "rowvault", *arguments],
            cwd=self._directory,
            env=environment | _ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=capture,
            check=False,
        )

    def _fail(
        self,
        arguments: Sequence[str],
        done: subprocess.CompletedProcess[bytes],
    ) -> None:
        said = f": {done.stderr.decode(errors='replace').strip()}" if done.stderr else ""
        raise RowvaultError(f"`{_line(arguments)}` ended with exit code {done.returncode}{said}")

    def _check_difference(self) -> None:
        """The difference is what the day changed, row for row."""
        document = self._ask("diff", "latest~1", "latest")
        assert isinstance(document, dict)
        found = {
            one["table"]: TableChange(one["added"], one["removed"], one["changed"])
            for one in document["tables"]
        }
        if found != CHANGES:
            raise VerificationError(f"the difference is {found}, and must be {CHANGES}")

    def _compare(self, kept: Path, restored: Path) -> None:
        difference = first_difference(kept, restored)
        if difference is not None:
            raise VerificationError(f"{restored} is not the database that was saved: {difference}")

    def _snapshot_ids(self) -> list[str]:
        document = self._ask("snapshots")
        assert isinstance(document, list)
        return [one["id"] for one in document]

    def _tell(self, text: str) -> None:
        if self._show:
            stdout.write_line(f"\n{text}")

    def _type(self, *lines: str) -> None:
        if not self._show:
            return
        stdout.write_line()
        for line in lines:
            shown = f"$ {line}"
            stdout.write_line(click.style(shown, bold=True) if stdout.is_terminal() else shown)


def _line(arguments: Sequence[str]) -> str:
    """As it would be typed; no argument of the tour needs quotes."""
    return " ".join(("rowvault", *arguments))


def _sum_of_changes() -> TableChange:
    changes = CHANGES.values()
    return TableChange(
        added=sum(one.added for one in changes),
        removed=sum(one.removed for one in changes),
        changed=sum(one.changed for one in changes),
    )


def _told(change: TableChange) -> str:
    return (
        f"{plural(change.added, 'row')} added, {change.changed} changed, {change.removed} removed"
    )
