"""The repository: one door to everything that is stored."""

from __future__ import annotations

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Self

from rowvault.codec.compression import DEFAULT_LEVEL
from rowvault.codec.frames import BlockType
from rowvault.codec.layout import CutRule
from rowvault.core.errors import (
    DamageError,
    ObjectChangedError,
    ObjectExistsError,
    RowvaultError,
    UnsupportedFormatError,
    UsageError,
)
from rowvault.core.ids import BlockId, RepositoryId, SnapshotId
from rowvault.core.model import ServerInfo
from rowvault.core.monitor import Monitor
from rowvault.repository import names
from rowvault.repository.absence import refuse_unexplained_emptiness
from rowvault.repository.blocks.reader import BlockReader
from rowvault.repository.config import (
    Config,
    FeatureSets,
    Sizes,
    authenticate_config,
    decode_config,
    encode_config,
)
from rowvault.repository.crypto.ciphers import CipherName
from rowvault.repository.crypto.key_ring import KeyRing, read_removed
from rowvault.repository.crypto.key_slot import Argon2Parameters, seal_slot
from rowvault.repository.crypto.sealed import Sealer
from rowvault.repository.crypto.secrets import IdMaker, Secrets, new_repository_id
from rowvault.repository.dry_session import DrySession
from rowvault.repository.features import FEATURES, LEDGER, SEALED_SEGMENTS, Feature
from rowvault.repository.index.index import BlockIndex
from rowvault.repository.index.seal import SegmentSeal
from rowvault.repository.objects import Objects
from rowvault.repository.opening import exists, read_config, require_free, unlock
from rowvault.repository.packs.pack import PackKeys
from rowvault.repository.read_subset import ReadRotation
from rowvault.repository.records.find_snapshot import FoundSnapshot, SnapshotFinder, SnapshotRequest
from rowvault.repository.records.known_head import KnownHead
from rowvault.repository.records.ledger import Ledger
from rowvault.repository.records.prune_ledger import PruneLedger
from rowvault.repository.records.snapshot import Snapshot, SnapshotListing
from rowvault.repository.records.snapshot_set import SnapshotSet
from rowvault.repository.records.snapshot_store import Damage, SnapshotStore
from rowvault.repository.records.sources import Sources
from rowvault.repository.records.tag_name import check_tag
from rowvault.repository.records.trash import Trash
from rowvault.repository.session import RepositoryInternals, WriteSession
from rowvault.repository.trees.manifest import Manifest
from rowvault.repository.trees.node import NodeRule
from rowvault.repository.trees.node_cache import NodeCache
from rowvault.repository.trees.parent_walk import ParentTables
from rowvault.repository.trees.tree import TreeReader, TreeRoot
from rowvault.storage.protocol import Storage

_log = logging.getLogger(__name__)

_KEPT_NODES = 256


class _CurrentFeatures:
    """What the repository has by the config that was read last."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config

    def __contains__(self, feature: object) -> bool:
        return isinstance(feature, Feature) and self._config().has(feature)


class Repository:
    """Snapshots, and the blocks that they are made of. Used from any thread."""

    def __init__(self, storage: Storage, config: Config, secrets: Secrets, slot_id: str) -> None:
        """Use `create` or `open`."""
        storage = storage if isinstance(storage, Objects) else Objects(storage)
        self._storage = storage
        self.missing_groups: tuple[str, ...] = ()
        """What must be there and is not; only where it was opened all the same."""
        self._config = config
        self._secrets = secrets
        self._slot_id = slot_id
        self._features = _CurrentFeatures(lambda: self._config)
        self._sealer = Sealer(config.cipher, secrets, config.id)
        self._make_id = IdMaker(secrets)
        self._keys = PackKeys(config.cipher, secrets, config.id)
        self._snapshot_store = SnapshotStore(
            storage,
            self._sealer,
            secrets,
            Ledger(storage, self._sealer, lambda: LEDGER in self._features),
            self._read_config_anew,
        )
        self.known_head: KnownHead | None = None
        """What this host has seen of the ledger, see `RepositoryAccess`."""
        self._has_examined = False
        self._index = BlockIndex(
            storage, SegmentSeal(secrets, config.id), seals=config.has(SEALED_SEGMENTS)
        )
        self._blocks = BlockReader(storage, self._keys, self._index, self._make_id)
        self._nodes: OrderedDict[BlockId, bytes] = OrderedDict()
        self._node_cache = NodeCache()
        self._cache_lock = threading.Lock()
        self.cut_rule: CutRule = config.sizes.data.rule(secrets)
        self.manifest_cut_rule: CutRule = config.sizes.manifest.rule(secrets)
        self.node_rule: NodeRule = config.sizes.node.rule(secrets)

    @classmethod
    def create(
        cls,
        storage: Storage,
        password: bytes | None,
        sizes: Sizes | None = None,
        cost: Argon2Parameters | None = None,
        relative: Repository | None = None,
        features: tuple[Feature, ...] = FEATURES,
    ) -> Repository:
        """Makes a repository; without password it is not encrypted. `cost` is that of a guess.

        With a `relative`, equal rows make equal blocks in both: ids, cuts and sizes are that
        one's, the key is a new one. Without the config there is no repository, and the next
        `create` starts over; only the ledger's first entry follows it.

        Raises RepositoryExistsError, NoRepositoryError where other files are, StorageError;
        UsageError where the new one would give the secrets of the other one away.
        """
        require_free(storage)
        if relative is not None and password is None:
            _refuse_showing_secrets(relative)
        secrets = Secrets.random() if relative is None else relative._secrets.related()
        if relative is not None:
            sizes = relative._config.sizes
        now = datetime.now(UTC).replace(microsecond=0)
        config = Config(
            id=new_repository_id(),
            created=now,
            cipher=CipherName.NONE if password is None else CipherName.AES_256_GCM,
            features=FeatureSets.of(features),
            sizes=sizes or Sizes(),
            groups=names.GROUPS,
        )
        slot_id = os.urandom(8).hex()
        slot = names.key_slot(slot_id)
        storage.create(
            slot, seal_slot(secrets, config.id, now, password, cost or Argon2Parameters(), slot_id)
        )
        for group in names.GROUPS:
            storage.make_group(group)
        try:
            storage.create(names.CONFIG, encode_config(config, secrets))
        except ObjectExistsError:
            storage.delete(slot)
            raise exists(storage) from None
        made = cls(storage, config, secrets, slot_id)
        if LEDGER in features:  # now it is on record that there has been no snapshot yet
            made.ledger.restart({}, {})
        return made

    @classmethod
    def open(
        cls, storage: Storage, password: Callable[[], bytes], *, whole: bool = True
    ) -> Repository:
        """Opens a repository; `password` is called only where it is encrypted.

        Without `whole` also one that lacks a group; `missing_groups` names it then.

        Raises NoRepositoryError, UnsupportedFormatError, WrongPasswordError, GroupMissingError,
        DamageError, StorageError.
        """
        objects = Objects(storage)
        data = read_config(storage)
        config = decode_config(data, objects.location)
        slot_id, secrets = unlock(objects, config, password)
        authenticate_config(data, secrets, objects.location)
        missing = objects.missing(config.groups)
        objects.require(missing if whole else ())
        repository = cls(objects, config, secrets, slot_id)
        repository.missing_groups = tuple(missing)
        return repository

    @property
    def id(self) -> RepositoryId:
        """Random, fixed when the repository was made."""
        return self._config.id

    @property
    def encrypted(self) -> bool:
        """Whether what is stored is secret."""
        return self._config.cipher is not CipherName.NONE

    @property
    def location(self) -> str:
        """The place, in words fit for a message."""
        return self._storage.location

    @property
    def internals(self) -> RepositoryInternals:
        """The parts, for the engines of this package: sessions and check."""
        return RepositoryInternals(
            storage=self._storage,
            keys=self._keys,
            index=self._index,
            blocks=self._blocks,
            snapshot_store=self._snapshot_store,
            prune_ledger=PruneLedger(self._storage, self._sealer),
            make_id=self._make_id,
            pack_bytes=self._config.sizes.pack_bytes,
            manifest_cut_rule=self.manifest_cut_rule,
            node_rule=self.node_rule,
            features=self._features,
        )

    @property
    def missing_features(self) -> tuple[Feature, ...]:
        """What this version knows and the repository lacks, see `upgrade`."""
        return self._config.missing()

    def switch_on(self, features: tuple[Feature, ...]) -> None:
        """Adds features to the config, by one compare-and-swap. Raises StorageError, DamageError.

        Who calls it ends the sessions that may not know of them, see `upgrade`.
        """
        while True:
            stored = self._read_config_anew()
            self._storage.make_groups()
            config = self._config.switch_on(features)
            try:
                self._storage.swap(names.CONFIG, stored, encode_config(config, self._secrets))
            except ObjectChangedError:
                continue  # another upgrade at the same time
            self._take_config(config)
            return

    def _read_config_anew(self) -> bytes:
        """The config's bytes: a session's features are those after its object was made.

        Raises UnsupportedFormatError where one is not known, DamageError, StorageError.
        """
        data = read_config(self._storage)
        config = decode_config(data, self.location)
        authenticate_config(data, self._secrets, self.location)
        config.refuse_unknown(config.features.write, self.location)
        self._take_config(config)
        return data

    def _take_config(self, config: Config) -> None:
        self._config = config
        self._index.seals = config.has(SEALED_SEGMENTS)

    @property
    def keys(self) -> KeyRing:
        """The keys that open it. Raises UsageError where nothing is secret."""
        if not self.encrypted:
            raise UsageError(
                f"The repository at {self.location} is not encrypted, so it has no keys. Whether "
                "it is was decided by `init`."
            )
        return KeyRing(self._storage, self._config.id, self._secrets, self._sealer, self._slot_id)

    def upkeep_damage(self) -> Damage:
        """Damage of the objects that forget, prune and `key remove` keep, by object name."""
        found = self.internals.prune_ledger.damage()
        for one in self.trash.listings():
            if one.damage is not None:
                found[names.forgotten(one.time, one.id)] = one.damage
        try:
            read_removed(self._storage, self._sealer)
        except (DamageError, UnsupportedFormatError) as error:
            found[names.REMOVED_KEYS] = error
        return found

    def data_id(self, raw: bytes) -> BlockId:
        """The id that these raw bytes have as a data block."""
        return self._make_id(BlockType.DATA, raw)

    def node_id(self, raw: bytes) -> BlockId:
        """The id that these raw bytes have as a tree node."""
        return self._make_id(BlockType.NODE, raw)

    def read_data(self, block_id: BlockId) -> bytes:
        """A data block's raw bytes, verified. Raises DamageError, StorageError."""
        return self._blocks.read(BlockType.DATA, block_id)

    def read_data_near(self, block_ids: Sequence[BlockId]) -> Iterator[bytes | RowvaultError]:
        """Of each data block in turn what `read_data` gives or raises; quicker for neighbours.

        What is stored of all that stand side by side is in memory at once.
        """
        return self._blocks.read_near(BlockType.DATA, block_ids)

    def read_node(self, block_id: BlockId) -> bytes:
        """A tree node's raw bytes, verified; the last few are kept. Raises DamageError."""
        with self._cache_lock:
            node = self._nodes.get(block_id)
            if node is not None:
                self._nodes.move_to_end(block_id)
                return node
        node = self._blocks.read(BlockType.NODE, block_id)
        with self._cache_lock:
            self._nodes[block_id] = node
            if len(self._nodes) > _KEPT_NODES:
                self._nodes.popitem(last=False)
        return node

    def listings(self) -> list[SnapshotListing]:
        """All snapshots, oldest first, with the damage of those that cannot be read."""
        listings = self._snapshot_store.snapshots()
        if not self._has_examined:  # who examines the set himself decides what comes of it
            for problem in self.snapshot_set.examine().problems:
                _log.warning("%s", problem.error)
        return listings

    def snapshots(self) -> list[Snapshot]:
        """All snapshots that can be read, oldest first; the damage of others is logged."""
        listings = self.listings()
        for one in listings:
            if one.damage is not None:
                _log.warning("a snapshot is left out: %s", one.damage)
        return [one.snapshot for one in listings if one.snapshot is not None]

    def find(self, spec: str) -> Snapshot:
        """The snapshot that a person means; see `resolve`."""
        return self.resolve(SnapshotRequest(spec)).snapshot

    def resolve(self, request: SnapshotRequest) -> FoundSnapshot:
        """The snapshot that a person means, and what to tell of the choice.

        Raises SnapshotNotFoundError, AmbiguousSnapshotError, UsageError, and DamageError where the
        one that is meant is damaged, or where snapshots are missing.
        """
        return self._finder(request.live).find(request)

    def latest(self, source: str | None) -> SnapshotListing:
        """What `latest` is of a source, damaged or not; None: of the only source.

        Raises SnapshotNotFoundError, AmbiguousSnapshotError, UsageError, MissingError.
        """
        return self._finder().latest(source)

    def _finder(self, live: ServerInfo | None = None) -> SnapshotFinder:
        listings = self.listings()
        if not listings:
            refuse_unexplained_emptiness(self)
        snapshots = [one.snapshot for one in listings if one.snapshot is not None]
        tagged = partial(self._snapshot_store.tagged, snapshots)
        return SnapshotFinder(listings, tagged, datetime.now(UTC), Sources(snapshots, live))

    def sources(self) -> Sources:
        """To which source each snapshot that can be read belongs."""
        return Sources(self.snapshots())

    def tags(self, snapshot_id: SnapshotId) -> list[str]:
        """The snapshot's tags, sorted."""
        return self._snapshot_store.tags(snapshot_id)

    def tagged(self) -> dict[str, list[Snapshot]]:
        """The snapshots of each tag, oldest first. Raises StorageError."""
        return self._snapshot_store.tagged(self.snapshots())

    def add_tag(self, snapshot: Snapshot, tag: str) -> None:
        """Gives a snapshot a tag; one that it has stays. Raises UsageError, StorageError."""
        check_tag(tag)
        self._snapshot_store.add_tag(snapshot, tag)

    def remove_tag(self, snapshot: Snapshot, tag: str) -> None:
        """Takes a tag from a snapshot. Raises StorageError."""
        self._snapshot_store.remove_tag(snapshot.id, tag)

    @property
    def ledger(self) -> Ledger:
        """Which snapshots exist."""
        return self._snapshot_store.ledger

    @property
    def snapshot_set(self) -> SnapshotSet:
        """Whether the snapshots that are there are those that exist."""
        self._has_examined = True
        return self._make_snapshot_set()

    def _make_snapshot_set(self) -> SnapshotSet:
        return SnapshotSet(self._storage, self._sealer, self._snapshot_store, self.known_head)

    def forget(self, snapshot: Snapshot) -> None:
        """Puts a snapshot into the trash. Raises StorageError."""
        self.trash.put(snapshot)

    @property
    def trash(self) -> Trash:
        """The forgotten snapshots."""
        return Trash(self._storage, self._sealer, self._snapshot_store)

    def manifest(self, snapshot: Snapshot) -> Manifest:
        """What a snapshot holds."""
        return Manifest(self.read_data, self.read_node, snapshot.manifest, self._node_cache)

    def tree(self, root: TreeRoot) -> TreeReader:
        """Walks a table's tree."""
        return TreeReader(self.read_node, root, self._node_cache)

    def parent_tables(self, snapshot: Snapshot, monitor: Monitor) -> ParentTables:
        """The tables of a snapshot, as what a later one builds on."""
        return ParentTables(self.manifest(snapshot), self.tree, monitor)

    def begin(
        self,
        command: str,
        monitor: Monitor,
        level: int = DEFAULT_LEVEL,
        parent: SnapshotId | None = None,
    ) -> WriteSession:
        """Begins a run that writes; `level` is zstd's, or NO_COMPRESSION.

        While the run is at work, what its `parent` refers to must not be removed. One that was
        forgotten before the run began is none: the session's `parent` is None then.

        Raises StorageError, and UnsupportedFormatError when writing needs an unknown feature.
        """
        self._config.refuse_unknown(self._config.features.write, self.location)
        self._storage.make_groups()
        self._make_snapshot_set().begin_where_nothing_is()
        self._blocks.load_index()
        return WriteSession(self.internals, command, monitor, level, parent)

    def begin_dry_run(
        self,
        command: str,
        monitor: Monitor,
        level: int = DEFAULT_LEVEL,
        parent: SnapshotId | None = None,
    ) -> DrySession:
        """Begins a run that stores nothing and counts what it would store."""
        self._blocks.load_index()
        return DrySession(self.internals, parent)

    def foreign(self) -> list[str]:
        """What lies among the objects and is none, see Objects.foreign. Raises StorageError."""
        return self._storage.foreign()

    @property
    def read_rotation(self) -> ReadRotation:
        """Where checks that read a part go on."""
        return ReadRotation(self._storage, self._sealer)

    def elsewhere(self, storage: Storage) -> Repository:
        """The same repository on another storage that holds its objects."""
        return self.reopening(storage)

    @property
    def reopening(self) -> Callable[[Storage], Repository]:
        """Opens it once more, without a password; can be pickled, and holds the secrets."""
        return partial(
            Repository, config=self._config, secrets=self._secrets, slot_id=self._slot_id
        )

    def close(self) -> None:
        """Lets go of caches and mapped files."""
        self._blocks.forget()
        with self._cache_lock:
            self._nodes.clear()
        self._index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _refuse_showing_secrets(relative: Repository) -> None:
    if relative.encrypted:
        raise UsageError(
            f"The repository at {relative.location} is encrypted, and a related one without "
            "encryption would show its identity secret, which tells whether it holds given "
            "rows. Encrypt the new one too, or do not relate it."
        )
