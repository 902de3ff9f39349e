"""The config object: what a repository is, in clear (docs/format.md, "Config")."""

from __future__ import annotations

import msgspec

from rowvault.codec.layout import CutRule
from rowvault.core.decoding import decode_json
from rowvault.core.errors import CorruptError, NoRepositoryError, UnsupportedFormatError
from rowvault.core.ids import RepositoryId
from rowvault.core.instant import Instant
from rowvault.repository.crypto.authenticated import encode_authenticated, split_authenticated
from rowvault.repository.crypto.ciphers import CipherName
from rowvault.repository.crypto.secrets import Secrets
from rowvault.repository.features import FEATURES, Access, Feature, names_of
from rowvault.repository.names import GROUPS
from rowvault.repository.trees.node import NodeRule

MAGIC = "rowvault repository"
FORMAT = 1
_MAXIMUM_CUT = 1 << 22
_MAXIMUM_PACK = 1 << 29


class CutSizes(msgspec.Struct, frozen=True):
    """Sizes of blocks in raw bytes, see CutRule."""

    minimum: int
    scale: int
    maximum: int

    def __post_init__(self) -> None:
        if not 0 < self.minimum <= self.scale <= self.maximum <= _MAXIMUM_CUT:
            raise ValueError("sizes must rise from minimum over scale to maximum, at most 4 MiB")

    def rule(self, secrets: Secrets) -> CutRule:
        """The rule that these sizes make with the repository's secrets."""
        return CutRule(
            minimum=self.minimum,
            scale=self.scale,
            maximum=self.maximum,
            cut_key=secrets.cut_key(),
            row_key=secrets.row_key(),
            gear_key=secrets.gear_key(),
        )


class NodeSizes(msgspec.Struct, frozen=True):
    """Sizes of tree nodes in entries, see NodeRule."""

    minimum: int
    scale: int
    maximum: int

    def __post_init__(self) -> None:
        if not 2 <= self.minimum <= self.scale <= self.maximum <= 1 << 16:
            raise ValueError("node sizes must rise from minimum (2 or more) to maximum")

    def rule(self, secrets: Secrets) -> NodeRule:
        """The rule that these sizes make with the repository's secrets."""
        return NodeRule(self.minimum, self.scale, self.maximum, secrets.node_cut_key())


class Sizes(msgspec.Struct, frozen=True):
    """All sizes that a repository keeps from its first day to its last."""

    data: CutSizes = CutSizes(32768, 131072, 524288)
    manifest: CutSizes = CutSizes(2048, 8192, 32768)
    node: NodeSizes = NodeSizes(12, 48, 192)
    pack_bytes: int = 16 << 20
    """A pack is closed once it is at least that large."""

    def __post_init__(self) -> None:
        if not 0 < self.pack_bytes <= _MAXIMUM_PACK:
            raise ValueError("packs close at 512 MiB at most")


class FeatureSets(msgspec.Struct, frozen=True):
    """Names of features that a version must know before it reads or writes."""

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()

    @classmethod
    def of(cls, features: tuple[Feature, ...]) -> FeatureSets:
        """The names of these, each where a program must know it."""
        return cls(names_of(features, Access.READ), names_of(features, Access.WRITE))


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the config object."""

    magic: str = MAGIC
    format: int = FORMAT
    id: RepositoryId
    created: Instant
    cipher: CipherName
    features: FeatureSets = FeatureSets()
    sizes: Sizes = Sizes()
    groups: tuple[str, ...] = ()
    """The groups that are always there, empty or not; none: the version before stated none."""

    def has(self, feature: Feature) -> bool:
        """Whether the repository has the feature, so that writers may use it."""
        names = self.features.read if feature.access is Access.READ else self.features.write
        return feature.name in names

    def missing(self) -> tuple[Feature, ...]:
        """The features that this version knows and the repository lacks."""
        return tuple(one for one in FEATURES if not self.has(one))

    def switch_on(self, features: tuple[Feature, ...]) -> Config:
        """The same with these features, too, and with all groups, which must be there."""
        more = FeatureSets.of(tuple(one for one in features if not self.has(one)))
        return msgspec.structs.replace(
            self,
            features=FeatureSets(
                (*self.features.read, *more.read), (*self.features.write, *more.write)
            ),
            groups=tuple(dict.fromkeys((*self.groups, *GROUPS))),
        )

    def refuse_unknown(self, features: tuple[str, ...], location: str) -> None:
        """Raises UnsupportedFormatError when one of these features is not known."""
        unknown = sorted(set(features) - {one.name for one in FEATURES})
        if unknown:
            raise UnsupportedFormatError(
                f"The repository at {location} needs {', '.join(unknown)}, which this version of "
                "rowvault does not know; use a newer version."
            )


class _Head(msgspec.Struct):
    """Read first, so that a newer format is refused by its number and not as damage."""

    magic: str = ""
    format: int = 0


def encode_config(config: Config, secrets: Secrets) -> bytes:
    """The config object's bytes."""
    return encode_authenticated(config, secrets.config_key())


def decode_config(data: bytes, location: str) -> Config:
    """The config, not yet authenticated.

    Raises NoRepositoryError where the file is something else, UnsupportedFormatError, CorruptError.
    """
    foreign = NoRepositoryError(
        f"{location} holds a file `config`, but it is not that of a rowvault repository"
    )
    try:
        document = split_authenticated(data).document
        head = decode_json(document, _Head)
        if head.magic != MAGIC:
            raise foreign
        if head.format != FORMAT:
            raise UnsupportedFormatError(
                f"The repository at {location} has format {head.format}; this version of rowvault "
                f"reads format {FORMAT}. Use a newer version."
            )
        config = decode_json(document, Config)
        bytes.fromhex(config.id)
    except (msgspec.MsgspecError, ValueError, CorruptError) as error:
        if MAGIC.encode() not in data and data.strip(b"\0"):
            raise foreign from error
        raise CorruptError(
            f"{location}: the config object is damaged ({error}); bring it back from a copy of the "
            "repository"
        ) from error
    config.refuse_unknown(config.features.read, location)
    return config


def authenticate_config(data: bytes, secrets: Secrets, location: str) -> None:
    """Raises CorruptError unless the MAC is that of this document under these secrets."""
    if not split_authenticated(data).is_authentic(secrets.config_key()):
        raise CorruptError(
            f"{location}: the config object was changed after the repository was made "
            "(its MAC does not match); bring it back from a copy of the repository"
        )
