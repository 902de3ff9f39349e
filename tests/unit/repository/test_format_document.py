"""The worked example of docs/format.md, byte by byte."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from blake3 import blake3

from rowvault.codec.arrangement import AS_ROWS, by_column
from rowvault.codec.columns import arrange, restore_rows
from rowvault.codec.frames import BlockType, Filter, FrameHeader, decode_header
from rowvault.codec.rows import encode_batch, encode_row
from rowvault.core.ids import PackName, RepositoryId, SessionId
from rowvault.repository import names
from rowvault.repository.blocks.reader import BlockReader
from rowvault.repository.crypto.ciphers import CipherName
from rowvault.repository.crypto.secrets import IdMaker, Secrets
from rowvault.repository.index.index import BlockIndex, Segment, encode_segment, segment_name
from rowvault.repository.index.seal import MAC_BYTES, SegmentSeal
from rowvault.repository.index.search import IndexSearch
from rowvault.repository.names import PackType
from rowvault.repository.packs import pack as pack_module
from rowvault.repository.packs.pack import OpenPack, PackEntry, PackKeys, PackReader
from rowvault.repository.trees.node import LeafEntry, decode_node, encode_node
from rowvault.storage import LocalStorage

DOCUMENT = (Path(__file__).parents[3] / "docs" / "format.md").read_text(encoding="utf-8")
SECRETS = Secrets(identity=bytes(range(32)), master=bytes(range(32, 64)))
REPOSITORY = RepositoryId("000102030405060708090a0b0c0d0e0f")
KEYS = PackKeys(CipherName.NONE, SECRETS, REPOSITORY)
SESSION = SessionId("11" * 16)
ROW = encode_row([b"1", b"hello"])
BLOCK_ID = IdMaker(SECRETS)(BlockType.DATA, ROW)
ENTRY = LeafEntry(b"\x01\x01\x31", BLOCK_ID, len(ROW), 1, len("(1,'hello')"), 0)


def example(name: str) -> bytes:
    """The bytes of one listing; each line must stand at the offset it states."""
    match = re.search(rf"^```hex {name}\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert match is not None
    data = b""
    for line in match[1].splitlines():
        assert int(line[:4], 16) == len(data)
        data += bytes.fromhex(line[6:53])
    return data


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> tuple[bytes, list[PackEntry]]:
    monkeypatch.setattr(pack_module.os, "urandom", lambda count: b"\x22" * count)
    pack = OpenPack(PackType.DATA, SESSION, KEYS, bytearray())
    pack.append(FrameHeader(BlockType.DATA, Filter.RAW, 0, len(ROW), len(ROW), BLOCK_ID), ROW)
    return bytes(pack.finish()), pack.entries


def test_ids_are_the_stated_ones() -> None:
    node_id = IdMaker(SECRETS)(BlockType.NODE, encode_node(0, [ENTRY]))
    for identifier in (BLOCK_ID, node_id):
        assert identifier.hex() in DOCUMENT
    assert blake3(example("pack")).hexdigest() in DOCUMENT
    assert segment_name(example("segment")) in DOCUMENT


def test_the_pack_is_written_so(written: tuple[bytes, list[PackEntry]]) -> None:
    assert written[0] == example("pack")


def test_the_pack_reads_so(tmp_path: Path) -> None:
    data = example("pack")
    name = PackName(blake3(data).hexdigest())
    storage = LocalStorage(tmp_path)
    storage.create(names.pack(PackType.DATA, name), data)
    reader = PackReader(storage, KEYS, PackType.DATA, name)
    (entry,) = reader.footer()
    assert reader.read_frame(BlockType.DATA, BLOCK_ID, entry.offset, entry.frame_bytes)[1] == ROW


def test_the_delta_reads_so(tmp_path: Path) -> None:
    data = example("delta")
    name = PackName(blake3(data).hexdigest())
    storage = LocalStorage(tmp_path)
    storage.create(names.pack(PackType.DATA, name), data)
    entries = PackReader(storage, KEYS, PackType.DATA, name).footer()
    index = BlockIndex(storage)
    index.add(encode_segment([(PackType.DATA, name, entries)]))
    blocks = BlockReader(storage, KEYS, index, IdMaker(SECRETS))
    for entry, word in zip(entries, (b"fox", b"cat"), strict=True):
        assert entry.id.hex() in DOCUMENT
        text = b"the quick brown %s jumps over the lazy dog" % word
        assert blocks.read(BlockType.DATA, entry.id) == encode_row([b"1", text])
    (place,) = index.find(BlockType.DATA, entries[1].id)
    header = blocks.header(entries[1].id, place)
    assert (header.depth, header.version, header.bases) == (1, 16, (entries[0].id[:16],))


def test_a_delta_states_its_arrangements_so() -> None:
    header = decode_header(example("stated"))
    assert header.arrangements == (by_column(2), AS_ROWS)
    assert header.filter is Filter.DELTA_ARRANGED
    assert header.header_bytes == len(example("stated"))
    assert header.encode() == example("stated")


def test_the_node_is_written_so() -> None:
    assert encode_node(0, [ENTRY]) == example("node")
    assert decode_node(example("node")).entries == (ENTRY,)


def test_the_segment_is_written_so(written: tuple[bytes, list[PackEntry]]) -> None:
    data, entries = written
    name = PackName(blake3(data).hexdigest())
    assert encode_segment([(PackType.DATA, name, entries)]) == example("segment")
    segment = Segment(segment_name(example("segment")), memoryview(example("segment")))
    (location,) = IndexSearch([segment]).find(BlockType.DATA, BLOCK_ID)
    assert (location.pack, location.offset) == (name, 60)


def test_the_sealed_segment_is_written_so(written: tuple[bytes, list[PackEntry]]) -> None:
    data, entries = written
    name = PackName(blake3(data).hexdigest())
    seal = SegmentSeal(SECRETS, REPOSITORY)
    sealed = encode_segment([(PackType.DATA, name, entries)], seal)
    example_bytes = bytearray(example("segment"))
    example_bytes[8] = 2
    assert sealed[:-MAC_BYTES] == example_bytes
    assert sealed[-MAC_BYTES:].hex() in DOCUMENT
    assert Segment(segment_name(sealed), memoryview(sealed), seal).is_sealed


def test_columns_are_written_so() -> None:
    rows = [
        (b"7", b"2026-11-28", None),
        (b"8", b"2026-11-29", b"a"),
        (b"9", b"2026-11-30", b"a"),
        (b"10", b"2026-12-01", b"a"),
    ]
    raw = encode_batch(rows).rows
    arranged = arrange(raw, 3)
    assert arranged is not None
    assert arranged.data == example("columns")
    assert restore_rows(example("columns"), len(raw)) == raw


def test_stated_defaults_are_the_defaults() -> None:
    from rowvault.repository.config import Sizes
    from rowvault.repository.crypto.key_slot import Argon2Parameters

    sizes, cost = Sizes(), Argon2Parameters()
    for one in (sizes.data, sizes.manifest, sizes.node):
        assert f"{one.minimum}, {one.scale}, {one.maximum}" in DOCUMENT
    assert f"by default {sizes.pack_bytes}" in DOCUMENT
    assert f"`memory_kib` ({cost.memory_kib}), `passes` ({cost.passes})" in DOCUMENT
