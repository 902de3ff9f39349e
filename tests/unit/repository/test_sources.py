"""To which source a snapshot belongs, and what its name is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from rowvault.core.errors import AmbiguousSnapshotError
from rowvault.core.ids import BlockId, SnapshotId
from rowvault.core.model import ConsistencyPoint, ServerInfo
from rowvault.core.source_name import default_name, name_of_server
from rowvault.repository.records.find_snapshot import SnapshotRequest
from rowvault.repository.records.snapshot import Snapshot, SnapshotSelection, SourceName
from rowvault.repository.records.sources import Sources
from rowvault.repository.trees.node import Sums
from rowvault.repository.trees.tree import TreeRoot
from rowvault.storage import LocalStorage
from rowvault.upkeep.retention import Candidate, group
from support.golden import golden_copy
from support.sample_repository import open_plain, read_snapshot

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
ROOT = TreeRoot(BlockId(bytes(32)), 0, Sums())


@dataclass
class Past:
    """Snapshots, each an hour after the one before."""

    snapshots: list[Snapshot] = field(default_factory=list)
    hours: count[int] = field(default_factory=count)

    def take(self, server: ServerInfo, given: str | None = None, *, old: bool = False) -> Snapshot:
        """One of this server, as a backup takes it; `old`: by a version without sources."""
        hour = next(self.hours)
        source = None if old else Sources(self.snapshots, server).decide(server, given).source
        snapshot = Snapshot(
            id=SnapshotId(f"{hour:016x}"),
            time=BEGIN + timedelta(hours=hour),
            server=server,
            moment=ConsistencyPoint("transaction"),
            manifest=ROOT,
            tables=0,
            rows=0,
            raw_bytes=0,
            seconds=1,
            blocks=0,
            new_blocks=0,
            stored_bytes=0,
            source=source,
        )
        self.snapshots.append(snapshot)
        return snapshot

    def names(self) -> list[str]:
        """The source of each."""
        sources = Sources(self.snapshots)
        return [sources.name_of(one) for one in self.snapshots]


def server(identity: str, url: str = "mysql://u@db:3306/", name: str | None = None) -> ServerInfo:
    return ServerInfo("mysql", "9", identity, url, name=default_name(url) if name is None else name)


@pytest.mark.parametrize(
    ("url", "hostname", "port", "name"),
    [
        ("mysql://u@DB.Example.org/", "h", "3306", "db.example.org:3306"),
        ("mysql://u@db.example.org.:3306/", "h", "3306", "db.example.org:3306"),
        ("mysql://u@[2001:DB8:0::1]:3307/", "h", "3306", "[2001:db8::1]:3307"),
        ("mysql://u@localhost:3306/", "Web1", "3306", "web1:3306"),
        ("mysql://u@127.0.0.1:13306/", "web1", "3306", "web1:3306"),
        ("mysql://u@127.9.9.9:3306/", "web1", "3306", "web1:3306"),
        ("mysql://u@[::1]:3306/", "web1", "3306", "web1:3306"),
        ("mysql://u@[::ffff:127.0.0.1]:3306/", "web1", "3306", "web1:3306"),
        ("mysql://u@localhost/?unix_socket=/run/a.sock", "web1", "3307", "web1:3307"),
        ("mysql://u@localhost/?unix_socket=/run/a.sock", "web1", "0", "web1"),
        ("mysql://u@localhost:3307/", "", "", "localhost:3307"),
        ("sqlite:////srv/a%20b.db", "", "", "/srv/a b.db"),
    ],
)
def test_the_default_name(url: str, hostname: str, port: str, name: str) -> None:
    assert default_name(url, hostname, port) == name


def test_old_snapshots_are_named_by_the_same_rule() -> None:
    maria = ServerInfo("mariadb", "10", "Web1:3306:/var/lib/mysql/", "mysql://u@localhost:3306/")
    assert name_of_server(maria) == "web1:3306"
    remote = ServerInfo("mariadb", "10", "web1:3306:/var/lib/mysql/", "mysql://u@db:3306/")
    assert name_of_server(remote) == "db:3306"
    past = Past()
    uuid = server("uuid-1", "mysql://u@127.0.0.1:3306/", name="")
    past.take(uuid, old=True)
    assert past.names() == ["localhost:3306"]
    # What a later snapshot of the same server says is its name then.
    past.take(server("uuid-1", "mysql://u@127.0.0.1:3306/", name="web1:3306"))
    assert past.names() == ["web1:3306"] * 2


def test_two_servers_at_localhost_never_become_one_group() -> None:
    past = Past()
    url = "mysql://u@localhost:3306/"
    for identity in ("uuid-1", "uuid-2", "uuid-1", "uuid-2"):
        past.take(ServerInfo("mysql", "8", identity, url), old=True)
    names = past.names()
    assert names[0] == names[2] == "localhost:3306"
    assert names[1] == names[3]
    assert names[1].startswith("localhost:3306#")
    groups = group([Candidate(one) for one in past.snapshots])
    assert [len(one.candidates) for one in groups] == [2, 2]
    # A name that is given later brings in nobody's past.
    past.take(server("uuid-2", url), "localhost:3306")
    assert past.names()[:4] == names


def test_a_second_server_under_one_default_name_is_a_source_of_its_own() -> None:
    past = Past()
    past.take(server("a"))
    decision = Sources(past.snapshots).decide(server("b"), None)
    assert decision.source.name.startswith("db:3306#")
    assert "--source" in decision.notices[0]
    past.take(server("b"))
    past.take(server("a"))
    assert past.names() == ["db:3306", decision.source.name, "db:3306"]
    # It keeps its name when the other one's snapshots are gone.
    kept = Past([past.snapshots[1]], past.hours)
    kept.take(server("b"))
    assert kept.names() == [decision.source.name] * 2


def test_two_first_backups_at_once_are_told_apart() -> None:
    past = Past()
    one, two = (Past(hours=past.hours).take(server(identity)) for identity in "ab")
    assert one.source == two.source
    assert len(set(Past([one, two]).names())) == 2


def test_a_given_name_goes_on_with_a_new_server_and_says_so() -> None:
    past = Past()
    past.take(server("a"), "prod")
    decision = Sources(past.snapshots).decide(server("b"), "prod")
    assert decision.source == SourceName("prod", is_given=True)
    assert "a so far, and is b now" in decision.notices[0]
    past.take(server("b"), "prod")
    assert Sources(past.snapshots).decide(server("b"), "prod").notices == ()
    assert past.names() == ["prod", "prod"]
    # The same for the default name that is given: from then on it needs no option.
    past.take(server("c"))
    past.take(server("d"), "db:3306")
    assert Sources(past.snapshots).decide(server("d"), None) == Sources(
        past.snapshots
    ).decide(server("c"), None)  # fmt: skip


def test_which_source_a_target_is() -> None:
    past = Past()
    past.take(server("a", "mysql://u@one:3306/"))
    past.take(server("b", "mysql://u@two:3306/"), "staging")
    sources = Sources(past.snapshots)
    assert sources.target_names(server("b", "mysql://u@two:3306/")) == ["staging", "two:3306"]
    assert sources.target_names(server("a", "mysql://u@alias:3306/"))[0] == "one:3306"
    assert sources.target_names(server("z", "mysql://u@one:3306/")) == ["one:3306"]
    assert sources.target_names(server("b", "mysql://u@one:3306/"))[0] == "staging"


def test_selections_make_groups_apart() -> None:
    past = Past()
    whole = past.take(server("a"))
    fields = {name: getattr(whole, name) for name in Snapshot.__struct_fields__}
    part = Snapshot(**fields | {"id": SnapshotId("f" * 16),
                                "selection": SnapshotSelection(databases=("shop",))})  # fmt: skip
    assert [one.source for one in group([Candidate(whole), Candidate(part)])] == ["db:3306"] * 2


def test_a_repository_of_servers_at_localhost_made_before(tmp_path: Path) -> None:
    place = golden_copy("v1-two-servers-plain", tmp_path)
    with open_plain(LocalStorage(place)) as repository:
        snapshots = repository.snapshots()
        groups = group([Candidate(one) for one in snapshots])
        assert [len(one.candidates) for one in groups] == [2, 2, 2, 2]
        for one in groups:
            assert len({each.snapshot.server.server_id for each in one.candidates}) == 1
        mysql, other, web1, web2 = (one.source for one in groups)
        assert (mysql, web1, web2) == ("localhost:3306", "web1:3306", "web2:3306")
        assert other.startswith("localhost:3306#")
        with pytest.raises(AmbiguousSnapshotError, match="4 sources"):
            repository.find("latest")
        for one in groups:
            found = repository.resolve(SnapshotRequest("latest~1", one.source)).snapshot
            assert found == one.candidates[0].snapshot
            assert read_snapshot(repository, found)["shop", "orders"]
