"""Whatever stands in a repository: its readers raise errors of Rowvault's own kind, and no others.

Whole parsers get valid bytes that were altered, documents with a member changed, and noise; what
is sealed is sealed again afterwards, as somebody with the key would do it.
"""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable, Iterator
from functools import cache

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rowvault.codec.frames import HEADER_BYTES, BlockType, decode_header, decode_payload
from rowvault.core.errors import RowvaultError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository import names
from rowvault.repository.config import authenticate_config, decode_config
from rowvault.repository.crypto.key_slot import decode_slot
from rowvault.repository.crypto.recovery_key import make_recovery_key, read_recovery_key
from rowvault.repository.crypto.sealed import DocumentType, Sealer
from rowvault.repository.index.index import Segment, segment_name
from rowvault.repository.index.search import IndexSearch
from rowvault.repository.packs.pack import PACK_HEADER_BYTES, decode_pack_header
from rowvault.repository.records.prune_ledger import Sighting
from rowvault.repository.records.session_object import SessionDocument
from rowvault.repository.repository import Repository
from rowvault.repository.trees.manifest import decode_record, split_rows
from rowvault.repository.trees.node import decode_node
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.report import PruneRequest
from support.memory_storage import MemoryStorage
from support.sample_repository import CHEAP, SMALL, read_snapshot, sample_rows, take_snapshot

PASSWORD = b"fuzz"
HEADER = 44
"""Bytes before the payload of a sealed object."""


@cache
def vault() -> dict[str, bytes]:
    """A small encrypted repository with an object of each kind."""
    storage = MemoryStorage()
    with Repository.create(storage, PASSWORD, SMALL, CHEAP) as repository:
        for number in range(5):
            rows = {("shop", "orders"): sample_rows(16, salt=str(number % 2))}
            take_snapshot(repository, rows, number, ["daily"])
        repository.forget(repository.find("latest~1"))
        repository.keys.add(b"another", "spare", CHEAP)
        repository.keys.remove(repository.keys.add(b"third", "gone", CHEAP).id)
        prune(repository, PruneRequest(), SilentMonitor())
        for _ in range(2):
            repository.forget(repository.find("latest~1"))
        document = SessionDocument.active("cd" * 16, "backup")
        repository.internals.snapshot_store.begin_session(document)
        repository.internals.prune_ledger.create_round(set())
        repository.internals.prune_ledger.write_sightings(
            (Sighting("cd" * 16, 1, "machine", "boot", 5.0),)
        )
    return storage.objects


def opened(objects: dict[str, bytes]) -> Repository:
    return Repository.open(MemoryStorage(objects), lambda: PASSWORD)


def first(prefix: str) -> tuple[str, bytes]:
    """An object of that group."""
    return next(one for one in sorted(vault().items()) if one[0].startswith(prefix) and one[1])


def altered(whole: bytes) -> st.SearchStrategy[bytes]:
    """These bytes, cut, with some replaced, taken away or doubled; or noise."""
    places = st.integers(0, len(whole))

    def patch(at: int, gone: int, new: bytes) -> bytes:
        return whole[:at] + new + whole[at + gone :]

    patched = st.builds(patch, places, st.integers(0, 40), st.binary(max_size=12))
    return st.one_of(patched, places.map(lambda at: whole[:at]), st.binary(max_size=200))


values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**65), 2**65),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=20),
        st.sampled_from(["", "../../etc", "ab" * 16, "é", "2026-11-22T10:00:00", "QQ=="]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@st.composite
def changed_member(draw: st.DrawFn, document: bytes) -> bytes:
    """A JSON document one member of which, anywhere, has another value or is gone."""
    whole = copy.deepcopy(json.loads(document))
    places: list[tuple[object, object]] = []

    def walk(node: object) -> None:
        pairs = enumerate(node) if isinstance(node, list) else dict(node).items()
        for key, value in list(pairs):
            places.append((node, key))
            if isinstance(value, list | dict):
                walk(value)

    walk(whole)
    node, key = draw(st.sampled_from(places))
    if draw(st.booleans()):
        node[key] = draw(values)
    else:
        del node[key]
    return json.dumps(whole).encode()


NASTY = (None, True, -1, 2**64, 1e308, "", "../../etc", "é", "\ud800", "zz" * 16, [], {}, "QQ==",
         "2026-11-22T10:00:00", "9999-12-31T23:59:59.999999-12:00", ["x"])  # fmt: skip


def each_member(document: bytes) -> Iterator[bytes]:
    """The document with each of its members, one by one, as each of the nasty values."""
    whole = json.loads(document)

    def walk(node: object) -> Iterator[bytes]:
        for key in list(range(len(node)) if isinstance(node, list) else node):
            kept = node[key]
            for value in NASTY:
                node[key] = value
                yield json.dumps(whole).encode()
            node[key] = kept
            if isinstance(kept, list | dict):
                yield from walk(kept)

    yield from walk(whole)


def quietly(action: Callable[[], object]) -> None:
    """Any outcome but an error that is not Rowvault's."""
    with contextlib.suppress(RowvaultError):
        action()


@given(st.data())
def test_config(data: st.DataObject) -> None:
    whole = vault()[names.CONFIG]
    stored = data.draw(altered(whole) | changed_member(whole))
    secrets = opened(dict(vault()))._secrets

    def read() -> None:
        decode_config(stored, "here")
        authenticate_config(stored, secrets, "here")

    quietly(read)


@given(st.data())
def test_key_slot(data: st.DataObject) -> None:
    name, whole = first(names.KEYS)
    stored = data.draw(altered(whole) | changed_member(whole))
    secrets = opened(dict(vault()))._secrets

    def read() -> None:
        slot = decode_slot(stored, name)
        slot.note(secrets)
        if slot.slot.argon2id == CHEAP:
            slot.open(PASSWORD)

    quietly(read)


@given(st.data())
def test_tree_node(data: st.DataObject) -> None:
    with opened(dict(vault())) as repository:
        node = repository.read_node(repository.snapshots()[0].manifest.id)
    stored = data.draw(altered(node))
    quietly(lambda: decode_node(stored))


@given(st.data())
def test_manifest_rows(data: st.DataObject) -> None:
    with opened(dict(vault())) as repository:
        manifest = repository.manifest(repository.snapshots()[0])
        raw = repository.read_data(next(iter(manifest.tree.entries())).id)
    stored = data.draw(altered(raw))
    quietly(lambda: [decode_record(row) for row in split_rows(stored)])


@given(st.data())
def test_pack_and_frame_headers(data: st.DataObject) -> None:
    _, whole = first("packs/data/")
    stored = data.draw(altered(whole[: PACK_HEADER_BYTES + HEADER_BYTES + 40]))
    quietly(lambda: decode_pack_header(stored))
    frame = stored[PACK_HEADER_BYTES:]

    def read() -> None:
        header = decode_header(frame)
        if header.raw_bytes < 1 << 20:
            decode_payload(header, frame[header.header_bytes :])

    quietly(read)


@given(st.data())
def test_index_segment(data: st.DataObject) -> None:
    _, whole = first(names.INDEX)
    stored = data.draw(altered(whole))

    def read() -> None:
        segment = Segment(segment_name(stored), memoryview(stored))
        search = IndexSearch([segment, segment])
        ids = [bytes(32), *(stored[at : at + 32] for at in range(32, len(stored) - 31, 32))]
        for kind in BlockType:
            list(search.find_all(kind, ids))
        segment.typed_packs()
        segment.record_counts()
        for pack in segment.packs:
            list(segment.locations(pack))

    quietly(read)


@given(st.binary(max_size=60) | altered(make_recovery_key().encode()))
def test_recovery_key(password: bytes) -> None:
    found = read_recovery_key(password)
    assert found is None or read_recovery_key(found.encode()) == found


def test_what_is_whole_reads() -> None:
    read_all(dict(vault()))
    kinds = {name.partition("/")[0] for name in vault()}
    assert kinds >= {"config", "keys", "packs", "index", "snapshots", "tags", "sessions", "trash"}


def read_all(objects: dict[str, bytes]) -> None:
    """What the commands do that read."""
    with opened(objects) as repository:
        check(repository, True, SilentMonitor())
        for listing in repository.listings():
            repository.tags(listing.id)
        for snapshot in repository.snapshots():
            quietly(lambda snapshot=snapshot: read_snapshot(repository, snapshot))
        repository.keys.all()
        repository.trash.listings()
        prune(repository, PruneRequest(dry_run=True), SilentMonitor())


def objects_of(prefix: str) -> list[str]:
    return [name for name in sorted(vault()) if name.startswith(prefix)]


KINDS = {
    DocumentType.SNAPSHOT: names.SNAPSHOTS,
    DocumentType.SESSION: names.SESSIONS,
    DocumentType.TAG: names.TAGS,
    DocumentType.FORGOTTEN: names.TRASH,
    DocumentType.REMOVED_KEYS: names.REMOVED_KEYS,
    DocumentType.PRUNE_STATE: names.PRUNE_STATE,
    DocumentType.PRUNE_ROUND: "gc/round-",
    DocumentType.SIGHTINGS: "gc/sightings",
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.lower())
@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_sealed_document(kind: DocumentType, data: st.DataObject) -> None:
    name, whole = first(KINDS[kind])
    sealer: Sealer = opened(dict(vault()))._sealer
    document = msgspec.json.encode(sealer.open(kind, name, whole, dict))
    payload = data.draw(altered(document) | changed_member(document))
    sealed = sealer.seal(kind, name, msgspec.Raw(payload))
    stored = data.draw(st.sampled_from([sealed]) | altered(sealed))
    quietly(lambda: read_all(dict(vault()) | {name: stored}))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.lower())
def test_each_member_of_a_sealed_document(kind: DocumentType) -> None:
    name, whole = first(KINDS[kind])
    sealer: Sealer = opened(dict(vault()))._sealer
    document = msgspec.json.encode(sealer.open(kind, name, whole, dict))
    for payload in each_member(document):
        stored = sealer.seal(kind, name, msgspec.Raw(payload))
        quietly(lambda stored=stored: read_all(dict(vault()) | {name: stored}))


@pytest.mark.parametrize("prefix", [names.CONFIG, names.KEYS])
def test_each_member_of_a_document_in_clear(prefix: str) -> None:
    name, whole = first(prefix)
    for stored in each_member(whole):
        quietly(lambda stored=stored: opened(dict(vault()) | {name: stored}))


@given(data=st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_object(data: st.DataObject) -> None:
    """Altered under its name, or under the name that its bytes now make."""
    name = data.draw(st.sampled_from(sorted(vault())))
    objects = dict(vault())
    stored = data.draw(altered(objects[name]))
    if name.startswith(names.INDEX) and data.draw(st.booleans()):
        del objects[name]
        name = names.segment(segment_name(stored))
    quietly(lambda: read_all(objects | {name: stored}))
