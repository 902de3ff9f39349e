"""Repositories for the tests of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.vaults import Vault, change_database, content, make_database
from support.rowvault import run_json, succeed


@pytest.fixture(scope="session")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """Not encrypted; read only, for tests that do not write."""
    place = tmp_path_factory.mktemp("vault")
    path, source = place / "vault", place / "shop.db"
    make_database(source)
    before = content(source)
    succeed("-r", path, "init", "--no-encryption")
    first = run_json("-r", path, "backup", f"sqlite:///{source}", "--tag", "first")
    change_database(source)
    second = run_json("-r", path, "backup", f"sqlite:///{source}", "--tag", "b", "--tag", "a")
    snapshots = (first["snapshot"], second["snapshot"])
    return Vault(path, source, snapshots, before, content(source))


@pytest.fixture
def empty_vault(tmp_path: Path) -> Path:
    """A repository of its own, not encrypted, without snapshots."""
    path = tmp_path / "empty-vault"
    succeed("-r", path, "init", "--no-encryption")
    return path
