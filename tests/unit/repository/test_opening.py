"""Making and opening repositories: what is there, what is not, and who has the password."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import msgspec
import pytest
from blake3 import blake3

from rowvault.core.errors import (
    CorruptError,
    MissingError,
    NoRepositoryError,
    RepositoryExistsError,
    UnsupportedFormatError,
    WrongPasswordError,
)
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.config import CutSizes, NodeSizes, Sizes
from rowvault.repository.crypto.key_slot import Argon2Parameters
from rowvault.repository.crypto.secrets import Secrets
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from support.sample_repository import CHEAP, SMALL, open_plain


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "place")


def edit_config(storage: LocalStorage, master: bytes | None = None, **changes: object) -> None:
    """Rewrites the config; with the master secret its MAC is right afterwards."""
    path = Path(storage.location) / "config"
    envelope = json.loads(path.read_text())
    envelope["document"].update(changes)
    document = json.dumps(envelope["document"]).encode()
    if master is not None:
        key = blake3(master, derive_key_context="rowvault format 1: config").digest()
        envelope["mac"] = blake3(document, key=key).hexdigest()
    path.write_bytes(b'{"document":' + document + b',"mac":"' + envelope["mac"].encode() + b'"}')


def plain_master(storage: LocalStorage) -> bytes:
    (name,) = storage.list("keys/")
    slot = msgspec.json.decode(storage.read(name))["document"]
    return bytes(msgspec.convert(slot["clear"]["master"], bytes))


def test_a_plain_repository_opens_without_password(storage: LocalStorage) -> None:
    made = Repository.create(storage, None)
    opened = open_plain(storage)
    assert opened.id == made.id
    assert not opened.encrypted
    assert opened.cut_rule == made.cut_rule
    assert opened.node_rule == made.node_rule
    assert opened.cut_rule != opened.manifest_cut_rule
    assert opened.location == storage.location


def test_an_encrypted_repository_wants_its_password(storage: LocalStorage) -> None:
    made = Repository.create(storage, b"secret", None, CHEAP)
    assert Repository.open(storage, lambda: b"secret").cut_rule == made.cut_rule
    for wrong in (b"", b"Secret", b"secret "):
        with pytest.raises(WrongPasswordError, match="Wrong password"):
            Repository.open(storage, lambda wrong=wrong: wrong)  # type: ignore[misc]


def test_nothing_stored_shows_content_or_secrets(storage: LocalStorage) -> None:
    repository = Repository.create(storage, b"secret", SMALL, CHEAP)
    raw = b"a value that nobody may read" * 10
    with repository.begin("test", SilentMonitor()) as session:
        session.put_data(raw)
        session._store_rest()
    everything = b"".join(storage.read(name) for name in storage.list(""))
    assert b"nobody may read" not in everything
    assert repository.cut_rule.gear_key not in everything


def test_two_repositories_share_nothing(tmp_path: Path) -> None:
    one, other = (Repository.create(LocalStorage(tmp_path / name), None) for name in "ab")
    assert one.id != other.id
    assert one.data_id(b"x") != other.data_id(b"x")
    assert one.data_id(b"x") != one.node_id(b"x")
    assert one.cut_rule.cut_key != other.cut_rule.cut_key


def test_init_twice(storage: LocalStorage) -> None:
    first = Repository.create(storage, None)
    with pytest.raises(RepositoryExistsError, match="already"):
        Repository.create(storage, None)
    assert open_plain(storage).id == first.id
    assert len(storage.list("keys/")) == 1


def test_of_many_inits_one_wins(storage: LocalStorage) -> None:
    made: list[str] = []
    gate = threading.Barrier(6)

    def compete() -> None:
        gate.wait()
        try:
            made.append(Repository.create(LocalStorage(storage.location), None).id)
        except RepositoryExistsError:
            pass

    threads = [threading.Thread(target=compete) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [open_plain(storage).id] == made


def test_secrets_do_not_show() -> None:
    assert repr(Secrets.random()) == "Secrets(...)"


def test_no_repository(storage: LocalStorage, tmp_path: Path) -> None:
    with pytest.raises(NoRepositoryError, match="rowvault init"):
        open_plain(storage)
    (tmp_path / "file").write_text("")
    with pytest.raises(NoRepositoryError):
        open_plain(LocalStorage(tmp_path / "file"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", "hello"),
        ("keys/id_rsa", "mine"),
        ("config", "[core]\n\tbare = true\n"),
        (".git/HEAD", "ref"),
    ],
)
def test_a_directory_that_is_something_else(storage: LocalStorage, name: str, content: str) -> None:
    path = Path(storage.location) / name
    path.parent.mkdir(parents=True)
    path.write_text(content)
    for act in (lambda: Repository.create(storage, None), lambda: open_plain(storage)):
        with pytest.raises(NoRepositoryError):
            act()
    assert path.read_text() == content


def test_a_lost_config_is_damage_and_nothing_is_made_over_it(storage: LocalStorage) -> None:
    repository = Repository.create(storage, None, SMALL)
    with repository.begin("test", SilentMonitor()) as session:
        session.put_data(b"x")
        session._store_rest()
    storage.delete("config")
    with pytest.raises(MissingError, match="config"):
        open_plain(storage)
    with pytest.raises(RepositoryExistsError, match="config is missing"):
        Repository.create(storage, None)


def test_a_newer_format_is_refused_by_its_number(storage: LocalStorage) -> None:
    Repository.create(storage, None)
    edit_config(storage, format=7, shape="unheard of")
    for act in (lambda: open_plain(storage), lambda: Repository.create(storage, None)):
        with pytest.raises(UnsupportedFormatError, match="format 7"):
            act()


def test_a_newer_format_with_a_right_mac_is_refused_too(storage: LocalStorage) -> None:
    Repository.create(storage, None)
    edit_config(storage, plain_master(storage), format=2)
    with pytest.raises(UnsupportedFormatError, match=r"format 2.*reads format 1.*newer version"):
        open_plain(storage)


def test_an_unknown_feature_is_refused_by_its_name(storage: LocalStorage) -> None:
    Repository.create(storage, None)
    master = plain_master(storage)
    edit_config(storage, master, features={"read": [], "write": ["holograms"]})
    repository = open_plain(storage)
    with pytest.raises(UnsupportedFormatError, match="holograms"):
        repository.begin("test", SilentMonitor())
    edit_config(storage, master, features={"read": ["crystals"], "write": []})
    with pytest.raises(UnsupportedFormatError, match="crystals"):
        open_plain(storage)


def test_an_altered_config_is_seen(storage: LocalStorage) -> None:
    Repository.create(storage, None)
    edit_config(storage, created="2020-01-01T00:00:00Z")
    with pytest.raises(CorruptError, match="MAC"):
        open_plain(storage)


def test_unknown_fields_are_ignored(storage: LocalStorage) -> None:
    Repository.create(storage, None)
    edit_config(storage, plain_master(storage), remark="of a later version")
    open_plain(storage)


def test_a_forged_slot_cannot_ask_for_all_memory() -> None:
    for cost in ((1 << 40, 3, 4), (65536, 10**6, 4), (65536, 3, 10**6), (1, 1, 1), (64, 0, 1)):
        with pytest.raises(ValueError, match="bounds"):
            Argon2Parameters(*cost)


def test_sizes_must_make_sense() -> None:
    for sizes in ((0, 1, 2), (4, 2, 8), (1, 2, 1 << 23)):
        with pytest.raises(ValueError, match="sizes"):
            CutSizes(*sizes)
    with pytest.raises(ValueError, match="node sizes"):
        NodeSizes(1, 4, 8)
    with pytest.raises(ValueError, match="packs"):
        Sizes(pack_bytes=1 << 30)
