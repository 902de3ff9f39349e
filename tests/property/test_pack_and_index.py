"""Packs, frames, index segments and manifests: whatever goes in comes out, damage never does."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence

from blake3 import blake3
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rowvault.codec.frames import (
    BlockType,
    FrameHeader,
    decode_header,
    decode_payload,
    encode_payload,
)
from rowvault.core.errors import DamageError, RowvaultError
from rowvault.core.ids import BlockId, PackName, RepositoryId, SessionId
from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.repository import names
from rowvault.repository.crypto.ciphers import CipherName
from rowvault.repository.crypto.secrets import IdMaker, Secrets
from rowvault.repository.index.index import (
    BlockIndex,
    Location,
    Segment,
    encode_segment,
    segment_name,
)
from rowvault.repository.index.search import IndexSearch
from rowvault.repository.names import PackType
from rowvault.repository.packs.pack import OpenPack, PackEntry, PackKeys, PackReader
from rowvault.repository.trees.manifest import Manifest, ManifestWriter
from rowvault.repository.trees.node import Sums
from rowvault.repository.trees.tree import TreeRoot
from rowvault.storage import LocalStorage
from support.sample_repository import SMALL, table_definition

SECRETS = Secrets(identity=bytes(32), master=b"m" * 32)
REPOSITORY = RepositoryId("ab" * 16)
SESSION = SessionId("cd" * 16)
MAKE_ID = IdMaker(SECRETS)

ciphers = st.sampled_from(list(CipherName))
raws = st.one_of(st.binary(max_size=300), st.binary(min_size=1, max_size=8).map(lambda b: b * 400))


def make_pack(
    cipher: CipherName, blocks: list[bytes], memory: bytes = b""
) -> tuple[bytes, list[PackEntry]]:
    keys = PackKeys(cipher, SECRETS, REPOSITORY)
    pack = OpenPack(PackType.DATA, SESSION, keys, bytearray(memory))
    for raw in blocks:
        coding, payload = encode_payload(raw, 1)
        identifier = MAKE_ID(BlockType.DATA, raw)
        header = FrameHeader(BlockType.DATA, coding, 0, len(raw), len(payload), identifier)
        pack.append(header, payload)
    return bytes(pack.finish()), pack.entries


def reader_of(storage: LocalStorage, cipher: CipherName, data: bytes) -> PackReader:
    name = PackName(blake3(data).hexdigest())
    storage.create(names.pack(PackType.DATA, name), data)
    keys = PackKeys(cipher, SECRETS, REPOSITORY)
    return PackReader(storage, keys, PackType.DATA, name)


@given(ciphers, st.lists(raws, max_size=8), st.binary(max_size=3000))
def test_packs_read_back(cipher: CipherName, blocks: list[bytes], memory: bytes) -> None:
    """Whatever stood before in the memory that they are made in."""
    data, entries = make_pack(cipher, blocks, memory)
    with tempfile.TemporaryDirectory() as place:
        reader = reader_of(LocalStorage(place), cipher, data)
        assert reader.footer() == entries
        for raw, entry in zip(blocks, entries, strict=True):
            location = entry.offset, entry.frame_bytes
            assert decode_payload(*reader.read_frame(BlockType.DATA, entry.id, *location)) == raw


@given(ciphers, st.lists(raws, min_size=1, max_size=3), st.data())
def test_an_altered_pack_never_gives_other_bytes(
    cipher: CipherName, blocks: list[bytes], data: st.DataObject
) -> None:
    whole, entries = make_pack(cipher, blocks)
    action = data.draw(st.sampled_from(["flip", "cut"]))
    at = data.draw(st.integers(0, len(whole) - 1))
    altered = whole[:at]
    if action == "flip":
        altered += bytes((whole[at] ^ data.draw(st.integers(1, 255)),)) + whole[at + 1 :]
    with tempfile.TemporaryDirectory() as place:
        storage = LocalStorage(place)
        for raw, entry in zip(blocks, entries, strict=True):
            try:
                reader = reader_of(storage, cipher, altered)
                location = entry.offset, entry.frame_bytes
                got = decode_payload(*reader.read_frame(BlockType.DATA, entry.id, *location))
            except RowvaultError:
                continue
            finally:
                for name in storage.list("packs/"):
                    storage.delete(name)
            assert got == raw


@given(st.binary(max_size=120))
def test_any_bytes_are_a_frame_or_an_error_of_ours(data: bytes) -> None:
    for candidate in (data, b"\xf5RvF" + data):
        try:
            header = decode_header(candidate)
            decode_payload(header, candidate[header.header_bytes :])
        except RowvaultError:
            pass


identifiers = st.binary(min_size=32, max_size=32).map(BlockId)
entries = st.builds(
    PackEntry,
    identifiers,
    st.sampled_from(list(BlockType)),
    st.just(0),
    st.integers(60, 2**30),
    st.integers(64, 2**30),
    st.integers(0, 2**30),
)
packs = st.tuples(
    st.sampled_from(list(PackType)),
    st.binary(min_size=32, max_size=32).map(lambda name: PackName(name.hex())),
    st.lists(entries, max_size=40),
)


def as_places(locations: Sequence[Location]) -> set[tuple[PackName, int, int]]:
    return {(one.pack, one.offset, one.frame_bytes) for one in locations}


# How fast the lists are made hangs on what else the machine does.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.lists(packs, max_size=4), max_size=12), identifiers)
def test_the_index_is_the_union_of_its_segments(
    segments: list[list[tuple[PackType, PackName, list[PackEntry]]]], absent: BlockId
) -> None:
    expected: dict[tuple[BlockType, bytes], set[tuple[PackName, int, int]]] = {}
    for segment in segments:
        for _, name, listed in segment:
            for one in listed:
                place = name, one.offset, one.frame_bytes
                expected.setdefault((one.type, one.id), set()).add(place)
    with tempfile.TemporaryDirectory() as place:
        LocalStorage(place).make_group(names.INDEX)
        writer = BlockIndex(LocalStorage(place))
        for segment in segments:
            writer.add(encode_segment(segment))
        fresh = BlockIndex(LocalStorage(place))
        fresh.refresh()
        for index in (writer, fresh):
            for (kind, identifier), places in expected.items():
                assert as_places(index.find(kind, identifier)) == places
            for kind in BlockType:
                wanted = [absent, *(identifier for one, identifier in expected if one is kind)]
                for identifier, found in zip(wanted, index.find_all(kind, wanted), strict=True):
                    assert as_places(found) == expected.get((kind, identifier), set())
            if (BlockType.DATA, absent) not in expected:
                assert index.find(BlockType.DATA, absent) == []
            assert index.packs() == {name for segment in segments for _, name, _ in segment}


def test_equal_prefixes_across_groups_are_all_found() -> None:
    same = BlockId(b"\x77" * 32)
    listed = [PackEntry(same, BlockType.DATA, 0, 60 + 64 * i, 64, 0) for i in range(1000)]
    around = [
        PackEntry(BlockId(bytes((i % 256,)) * 32), BlockType.DATA, 0, 10**6 + i, 64, 0)
        for i in range(700)
        if i % 256 != 0x77
    ]
    data = encode_segment([(PackType.DATA, PackName("ee" * 32), listed + around)])
    segment = Segment(segment_name(data), memoryview(data))
    found = IndexSearch([segment]).find(BlockType.DATA, same)
    assert sorted(one.offset for one in found) == [one.offset for one in listed]


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_a_segment_or_damage(data: bytes, with_magic: bool) -> None:
    candidate = b"ROWVINDX\x01\0\0\0" + data if with_magic else data
    try:
        segment = Segment(segment_name(candidate), memoryview(candidate))
        IndexSearch([segment]).find(BlockType.DATA, bytes(32))
        segment.typed_packs()
    except DamageError:
        pass
    except RowvaultError:
        pass


class MemorySink:
    """Blocks in memory, under the rules of a small repository."""

    manifest_cut_rule = SMALL.manifest.rule(SECRETS)
    node_rule = SMALL.node.rule(SECRETS)

    def __init__(self) -> None:
        self.stored: dict[BlockId, bytes] = {}

    def put_data(self, raw: bytes, column_count: int = 0, base: object = None) -> BlockId:
        identifier = MAKE_ID(BlockType.DATA, raw)
        self.stored[identifier] = raw
        return identifier

    def put_node(self, raw: bytes) -> BlockId:
        identifier = MAKE_ID(BlockType.NODE, raw)
        self.stored[identifier] = raw
        return identifier


table_names = st.one_of(
    st.text(min_size=1, max_size=12), st.integers(200, 700).map(lambda length: "n" * length)
)


# Of the view of two fragments `shop` covers the last one alone.
@example({("", "0000"), ("", "n" * 503)}, 4005)
@given(
    st.sets(st.tuples(st.sampled_from(["", "a", "bb", "shop"]), table_names), max_size=40),
    st.integers(0, 6000),
)
def test_manifests_find_what_they_hold(tables: set[tuple[str, str]], view_bytes: int) -> None:
    """Names longer than a first key can be, and a definition larger than a block, among them."""
    sink = MemorySink()
    writer = ManifestWriter(sink)
    root = TreeRoot(BlockId(bytes(32)), 0, Sums())
    for database, name in tables:
        writer.add_table(table_definition(database, name), root, bytes(32), 1, ("note",))
    view = ObjectDefinition(ObjectKind.VIEW, "bb", "v", b"x" * view_bytes)
    writer.add_object(view)
    reads: list[BlockId] = []

    def read(identifier: BlockId) -> bytes:
        reads.append(identifier)
        return sink.stored[identifier]

    manifest = Manifest(read, sink.stored.__getitem__, writer.finish())
    assert {(one.definition.database, one.definition.name) for one in manifest.tables()} == tables
    assert list(manifest.objects()) == [view]
    assert list(manifest.objects("bb")) == [view]
    assert list(manifest.objects("a")) == []
    named = {database for database, _ in tables if database}  # users are in no database
    assert manifest.databases() == sorted(named | {"bb"})
    for database in ("", "a", "bb", "shop", "none"):
        found = {one.definition.name for one in manifest.tables(database)}
        assert found == {name for one, name in tables if one == database}
    for database, name in tables:
        reads.clear()
        record = manifest.table(database, name)
        assert record is not None
        assert record.definition == table_definition(database, name)
        assert record.notes == ("note",)
        if all(len(other) < 100 for _, other in tables):
            assert len(reads) == 1
    assert manifest.table("a", "not there at all") is None
