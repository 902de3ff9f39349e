"""A repository of which a directory is missing, or that holds files of others: each with each verb.

What must hold: a directory that is missing is never read as an empty one, nothing is removed, and
the message says how to go on. What other programs leave between the objects disturbs nothing, is
named, and stays.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.vaults import change_database, make_database
from rowvault.core.errors import GroupMissingError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository import names
from rowvault.repository.config import Config, FeatureSets, encode_config
from rowvault.storage import LocalStorage
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.report import PruneRequest
from support.rowvault import run, run_json, succeed
from support.sample_repository import open_plain

GROUPS = [*names.GROUPS, names.PACKS]
PASSWORD = {"ROWVAULT_PASSWORD": "test"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two snapshots of a SQLite file, which lies beside it."""
    place = tmp_path_factory.mktemp("directories")
    make_database(place / "shop.db", 200)
    succeed("-r", place / "vault", "init", "--no-encryption")
    succeed("-r", place / "vault", "backup", f"sqlite:///{place / 'shop.db'}", "--tag", "first")
    change_database(place / "shop.db")
    succeed("-r", place / "vault", "backup", f"sqlite:///{place / 'shop.db'}")
    return place


@pytest.fixture
def place(base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base, tmp_path / "copy"))


def verbs(place: Path) -> Iterator[tuple[str, ...]]:
    """Every command that opens a repository."""
    source = f"sqlite:///{place / 'shop.db'}"
    yield ("snapshots",)
    yield ("show", "latest")
    yield ("ls", "latest")
    yield ("dump", "latest")
    yield ("diff", "latest~1", "latest")
    yield ("restore", "latest", f"sqlite:///{place / 'new.db'}")
    yield ("verify", "latest", source)
    yield ("stats",)
    yield ("sessions",)
    yield ("check",)
    yield ("tag", "add", "latest", "other")
    yield ("backup", source, "--dry-run")
    yield ("backup", source)
    yield ("forget", "--keep-last", "1", "--dry-run")
    yield ("forget", "--keep-last", "1", "--prune")
    yield ("undelete", "--list")
    yield ("prune", "--dry-run")
    yield ("prune",)
    yield ("upgrade", "--dry-run")
    yield ("upgrade",)
    yield ("repair", "--dry-run")
    yield ("repair",)


def files(place: Path) -> dict[str, bytes]:
    found = (path for path in place.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(place)): path.read_bytes() for path in found}


def test_init_makes_every_directory(tmp_path: Path) -> None:
    succeed("-r", tmp_path / "vault", "init", "--no-encryption")
    for group in names.GROUPS:
        assert (tmp_path / "vault" / group).is_dir(), group
    document = json.loads((tmp_path / "vault" / "config").read_bytes())["document"]
    assert document["groups"] == list(names.GROUPS)


@pytest.mark.parametrize("group", GROUPS)
def test_a_missing_directory_is_an_error_of_every_verb(place: Path, group: str) -> None:
    vault = place / "vault"
    (vault / group).rename(place / "gone")
    before = files(vault)
    for verb in verbs(place):
        done = run("-r", vault, *verb)
        assert done.returncode == 20, (verb, done.stdout, done.stderr)
        assert group.encode() in done.stderr, verb
        assert files(vault) == before, verb
        assert not (vault / group).exists(), verb
    (place / "gone").rename(vault / group)
    assert run_json("-r", vault, "check", "--read-data")["errors"] == []


def test_the_message_says_how_to_go_on(place: Path) -> None:
    vault = place / "vault"
    for one in (vault / "trash", vault / "gc"):
        shutil.rmtree(one)
    done = run("-r", vault, "prune")
    assert done.returncode == 20
    message = done.stderr.decode()
    assert "trash/, gc/ are missing" in message
    assert "disk that is not mounted" in message
    command = message.strip().rpartition(": ")[2]
    assert command == f"mkdir -p {vault}/trash {vault}/gc"
    subprocess.run(command.split(), check=True)
    assert run("-r", vault, "prune").returncode == 0


def test_check_names_every_missing_directory_and_goes_on(place: Path) -> None:
    vault = place / "vault"
    for group in ("packs/tree", "tags", "index"):
        shutil.rmtree(vault / group)
    done = run("-r", vault, "check", "--json")
    assert done.returncode == 20
    errors = json.loads(done.stdout)["errors"]
    missing = {one["object"] for one in errors if one["kind"] == "missing"}
    assert {"packs/tree/", "tags/", "index/"} <= missing
    assert {one["object"] for one in errors if one["snapshots"]} == {"manifest"}


def test_a_directory_that_vanishes_later_is_an_error_too(place: Path) -> None:
    with open_plain(LocalStorage(place / "vault")) as repository:
        (place / "vault" / "snapshots").rename(place / "gone")
        for act in (
            repository.snapshots,
            lambda: prune(repository, PruneRequest(), SilentMonitor()),
            lambda: repository.find("latest"),
        ):
            with pytest.raises(GroupMissingError, match="snapshots/"):
                act()


# -- repositories of the version before, in which a directory comes with its first object


def as_before(vault: Path, features: FeatureSets | None = None) -> None:
    """Makes of a repository one whose config states no groups, without empty directories.

    With `features` it has these instead of all, and no ledger.
    """
    with open_plain(LocalStorage(vault)) as repository:
        config: Config = repository._config
        data = encode_config(
            Config(
                id=config.id, created=config.created, cipher=config.cipher,
                features=config.features if features is None else features, sizes=config.sizes,
            ),
            repository._secrets,
        )  # fmt: skip
    (vault / "config").write_bytes(data)
    if features is not None:
        for entry in (vault / "ledger").iterdir():
            entry.unlink()
    for group in names.GROUPS:
        if not any((vault / group).iterdir()):
            (vault / group).rmdir()


def test_a_repository_of_the_version_before_works_on(place: Path) -> None:
    vault = place / "vault"
    as_before(vault)
    assert sorted(path.name for path in vault.iterdir() if path.is_dir()) == [
        ".tmp", "index", "keys", "ledger", "packs", "snapshots", "tags",
    ]  # fmt: skip
    for verb in verbs(place):
        done = run("-r", vault, *verb)
        assert done.returncode == 0, (verb, done.stderr)


@pytest.mark.parametrize("group", names.FILLED_BY_A_BACKUP)
def test_what_a_backup_fills_must_be_there_in_one_of_the_version_before(
    place: Path, group: str
) -> None:
    vault = place / "vault"
    as_before(vault)
    shutil.rmtree(vault / group)
    before = files(vault)
    for verb in verbs(place):
        done = run("-r", vault, *verb)
        assert done.returncode == 20, (verb, done.stderr)
    assert files(vault) == before


def test_an_empty_repository_of_the_version_before_works_on(tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    succeed("-r", vault, "init", "--no-encryption")
    as_before(vault, FeatureSets())
    assert run_json("-r", vault, "snapshots") == []
    make_database(tmp_path / "shop.db", 20)
    succeed("-r", vault, "backup", f"sqlite:///{tmp_path / 'shop.db'}")
    assert all((vault / group).is_dir() for group in names.GROUPS)
    assert len(run_json("-r", vault, "snapshots")) == 1


def test_an_upgrade_makes_and_states_every_directory(place: Path) -> None:
    vault = place / "vault"
    as_before(vault, FeatureSets())
    succeed("-r", vault, "upgrade")
    document = json.loads((vault / "config").read_bytes())["document"]
    assert document["groups"] == list(names.GROUPS)
    (vault / "trash").rmdir()
    assert b"trash/ is missing" in run("-r", vault, "snapshots").stderr


# -- files of others

NOT_NAMES = [
    ".DS_Store", "._x", ".nfs0001", "NAME~", ".NAME.abc123", "Icon\r", "a b", "caf\udce9",
    "lost+found/", "@eaDir/", "Thumbs.db", "desktop.ini", "backup/", "x.part",
]  # fmt: skip


def scatter(vault: Path, group: str) -> list[Path]:
    """Puts what other programs leave behind into a group, and into what stands in it."""
    made = []
    directories = [vault / group, *(path for path in (vault / group).rglob("*") if path.is_dir())]
    objects = [path for path in (vault / group).iterdir() if path.is_file()]
    for directory in directories:
        for name in [*NOT_NAMES, *(f".{path.name}.Xy12Zw" for path in objects),
                     *(f"{path.name}~" for path in objects)]:  # fmt: skip
            path = directory / name
            if name.endswith("/"):
                path.mkdir()
                path = path / "inside"
            path.write_bytes(b"foreign")
            made.append(path)
    return made


@pytest.mark.parametrize("group", GROUPS)
def test_files_of_others_disturb_no_verb(place: Path, group: str) -> None:
    vault = place / "vault"
    made = scatter(vault, group)
    for verb in verbs(place):
        done = run("-r", vault, *verb)
        assert done.returncode == 0, (verb, done.stderr)
        if verb != ("check",):  # which lists them all
            assert done.stderr.count(b"left alone") <= 1, done.stderr
    assert all(path.read_bytes() == b"foreign" for path in made)
    assert b"left alone" in run("-r", vault, "prune").stderr or group in ("tags/",)


@pytest.mark.parametrize("group", GROUPS)
def test_check_lists_files_of_others(place: Path, group: str) -> None:
    vault = place / "vault"
    made = scatter(vault, group)
    document = run_json("-r", vault, "check")
    assert document["errors"] == []
    relative = {str(path.relative_to(vault)) for path in made}
    told = set(document["foreign"])
    for name in relative:
        above = name.removesuffix("inside")
        assert name in told or above in told, name
    assert told <= relative | {one.removesuffix("inside") for one in relative}


def test_what_has_the_name_of_an_object_and_is_none_is_damage(place: Path) -> None:
    vault = place / "vault"
    for name in (
        "keys/" + "0" * 16,
        "index/" + "0" * 64,
        "snapshots/20261120T100000Z-" + "0" * 16,
        "trash/20261120T100000Z-" + "0" * 16,
        "sessions/" + "0" * 32,
        "gc/prune",
    ):
        (vault / name).write_bytes(b"not what it should be")
        done = run("-r", vault, "check", "--json")
        assert done.returncode == 20, name
        assert name in {one["object"] for one in json.loads(done.stdout)["errors"]}
        (vault / name).unlink()
    assert run_json("-r", vault, "check")["errors"] == []


def test_files_of_others_at_the_top_are_listed(place: Path) -> None:
    for name in (".DS_Store", "README.txt", "notes/"):
        path = place / "vault" / name
        path.mkdir() if name.endswith("/") else path.write_bytes(b"x")
    assert run_json("-r", place / "vault", "check")["foreign"] == [
        ".DS_Store", "README.txt", "notes/",
    ]  # fmt: skip
