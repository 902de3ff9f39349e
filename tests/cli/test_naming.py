"""SNAP on the command line: which snapshot it is, and when nobody may guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.vaults import Vault, make_database
from support.rowvault import run, run_json, succeed


@pytest.fixture
def own(tmp_path: Path, empty_vault: Path) -> Vault:
    """A repository with two snapshots of one file."""
    source = tmp_path / "shop.db"
    make_database(source, rows=20)
    first, second = (
        run_json("-r", empty_vault, "backup", f"sqlite:///{source}")["snapshot"] for _ in range(2)
    )
    return Vault(empty_vault, source, (first, second), {}, {})


def listed(vault: Path) -> list[str]:
    return [one["id"] for one in run_json("-r", vault, "snapshots")]


@pytest.mark.parametrize("lead", ["2026-11-", "foo-bar-", "latest-", "20261118T100000Z-"])
def test_what_stands_before_an_id_is_not_passed_over(own: Vault, lead: str) -> None:
    for digits in (own.snapshots[0], own.snapshots[0][:2]):
        for verb in (["show"], ["ls"], ["forget"], ["undelete"], ["tag", "add"]):
            more = ["kept"] if verb == ["tag", "add"] else []
            assert run("-r", own.path, *verb, f"{lead}{digits}", *more).returncode == 1
        target = f"sqlite:///{own.source}.new"
        assert run("-r", own.path, "restore", f"{lead}{digits}", target).returncode == 1
    assert listed(own.path) == list(own.snapshots)
    assert not Path(f"{own.source}.new").exists()
    assert run_json("-r", own.path, "show", own.snapshots[0])["tags"] == []


def test_a_date_is_refused_with_the_form_that_was_meant(own: Vault) -> None:
    for name, meant in (("2026-11-18", b"@2026-11-18"), ("latest-1", b"latest~1")):
        done = run("-r", own.path, "forget", name)
        assert done.returncode == 1
        assert b"did you mean `" + meant + b"`" in done.stderr
    for name in ("2026-11-46", "2026-13", "latest-8f", "2026-11"):
        done = run("-r", own.path, "show", name)
        assert b"did you mean" not in done.stderr
        assert b"`rowvault snapshots` lists them" in done.stderr
    assert succeed("-r", own.path, "show", own.snapshots[1][:4])


@pytest.fixture
def two(tmp_path: Path, empty_vault: Path) -> tuple[Vault, Path]:
    """A repository with a snapshot of production, and then one of staging, another file."""
    production, staging = tmp_path / "production.db", tmp_path / "staging.db"
    make_database(production, rows=30)
    make_database(staging, rows=20)
    ids = [
        run_json("-r", empty_vault, "backup", f"sqlite:///{path}", *more)["snapshot"]
        for path, more in ((production, ()), (staging, ("--source", "staging")))
    ]
    return Vault(empty_vault, production, (ids[0], ids[1]), {}, {}), staging


@pytest.mark.parametrize("name", ["latest", "@2126-01-01", "latest~0"])
def test_among_several_sources_nothing_is_guessed(two: tuple[Vault, Path], name: str) -> None:
    own, _ = two
    before = own.source.read_bytes()
    target = f"sqlite:///{own.source}"
    for words in (
        ["show", name],
        ["ls", name],
        ["dump", name],
        ["diff", name, name],
        ["stats", name],
        ["forget", name, "--allow-remove-all"],
        ["tag", "add", name, "kept"],
        ["restore", name, target, "--replace"],
    ):
        done = run("-r", own.path, *words)
        assert done.returncode == 2, words
        assert str(own.source).encode() in done.stderr
        assert b"staging" in done.stderr
        assert b"--source" in done.stderr.splitlines()[-1]
    assert own.source.read_bytes() == before
    assert listed(own.path) == list(own.snapshots)
    shown = run_json("-r", own.path, "show", name, "--source", "staging")
    assert (shown["id"], shown["source"]) == (own.snapshots[1], "staging")
    assert run("-r", own.path, "show", own.snapshots[0], "--source", "staging").returncode == 2
    unknown = run("-r", own.path, "show", name, "--source", "stagin")
    assert unknown.returncode == 2
    assert b"staging" in unknown.stderr


def test_verify_goes_by_the_live_server(two: tuple[Vault, Path]) -> None:
    own, staging = two
    for path, snapshot in zip((own.source, staging), own.snapshots, strict=True):
        found = run_json("-r", own.path, "verify", "latest", f"sqlite:///{path}")
        assert (found["snapshot"], found["verified"]) == (snapshot, True)


def test_what_another_server_holds_is_dropped_only_by_its_name(two: tuple[Vault, Path]) -> None:
    own, staging = two
    before = own.source.read_bytes()
    words = ("-r", own.path, "restore", own.snapshots[1], f"sqlite:///{own.source}", "--replace")
    for more in ((), ("--onto", "staging"), ("--onto", "elsewhere")):
        done = run(*words, *more)
        assert done.returncode == 2
        assert b"nothing was changed" in done.stderr
        assert own.source.read_bytes() == before
    restored = run_json(*words, "--onto", own.source)
    assert (restored["snapshot"], restored["source"]) == (own.snapshots[1], "staging")
    # Its own source, under a given name, is known by its identity.
    succeed("-r", own.path, "restore", own.snapshots[1], f"sqlite:///{staging}", "--replace")


def test_every_verb_says_which_snapshot_it_took(two: tuple[Vault, Path]) -> None:
    own, staging = two
    line = f"snapshot {own.snapshots[1]} of ".encode()
    for words in (
        ["dump", "latest"],
        ["ls", "latest"],
        ["show", "latest"],
        ["diff", "latest", "latest"],
        ["stats", "latest"],
        ["tag", "add", "latest", "t"],
    ):
        done = run("-r", own.path, *words, "--source", "staging")
        assert done.stderr.startswith(line), words
        assert b", source staging" in done.stderr
    verified = run("-r", own.path, "verify", "latest", f"sqlite:///{staging}")
    assert verified.stderr.startswith(line)


def test_a_part_is_never_taken_for_the_whole(own: Vault) -> None:
    url = f"sqlite:///{own.source}"
    part = run_json("-r", own.path, "backup", url, "-t", "main.items")
    assert part["parent"] is None
    whole = run_json("-r", own.path, "show", "latest")
    assert whole["id"] == own.snapshots[1]
    told = run("-r", own.path, "--timezone", "Asia/Tokyo", "show", "latest").stderr
    assert f"snapshot {part['snapshot']}".encode() in told
    assert b" +09:00 is newer" in told
    assert b"holds only a part: main.items" in told
    assert run_json("-r", own.path, "backup", url)["parent"] == own.snapshots[1]
    groups = run_json("-r", own.path, "forget", "--keep-last", "1", "--dry-run")["groups"]
    assert [len(one["kept"]) + len(one["forgotten"]) for one in groups] == [3, 1]
    assert {one["source"] for one in groups} == {str(own.source)}


def test_where_no_selection_holds_all_others_the_ids_are_listed(
    tmp_path: Path, empty_vault: Path
) -> None:
    source = tmp_path / "shop.db"
    make_database(source, rows=5)
    ids = [
        run_json("-r", empty_vault, "backup", f"sqlite:///{source}", "-t", table)["snapshot"]
        for table in ("main.items", "main.notes")
    ]
    done = run("-r", empty_vault, "show", "latest")
    assert done.returncode == 2
    assert all(one.encode() in done.stderr for one in ids)
    assert done.stderr.splitlines()[-1].decode().endswith(f"show {ids[1]}")
    both = run_json(
        "-r", empty_vault, "backup", f"sqlite:///{source}", "-t", "main.notes", "-t", "main.items"
    )
    assert run_json("-r", empty_vault, "show", "latest")["id"] == both["snapshot"]
    told = run("-r", empty_vault, "show", "latest~1").stderr.decode()
    assert f"1 snapshot of {source} (main.notes, main.items), so none is 1 before" in told
    assert "by its id" in told
    lacking = run("-r", empty_vault, "ls", "latest", "main.other")
    assert lacking.returncode == 2
    assert b"main.other" in lacking.stderr


def test_a_policy_of_one_source_leaves_the_others_alone(two: tuple[Vault, Path]) -> None:
    own, staging = two
    for _ in range(2):
        run_json("-r", own.path, "backup", f"sqlite:///{own.source}")
        run_json("-r", own.path, "backup", f"sqlite:///{staging}", "--source", "staging")
    words = ("-r", own.path, "forget", "--keep-last", "1", "--source", "staging")
    assert len(run_json(*words)["forgotten"]) == 2
    left = [one["source"] for one in run_json("-r", own.path, "snapshots")]
    assert left.count(str(own.source)) == 3
    only = run_json("-r", own.path, "snapshots", "--source", "staging")
    assert [one["source"] for one in only] == ["staging"]


@pytest.mark.parametrize("tag", ["latest", "latest~2", "@x", "cafe", "2026", "end", "pos:a:4"])
def test_no_tag_looks_like_another_name(own: Vault, tag: str) -> None:
    assert run("-r", own.path, "tag", "add", "latest", tag).returncode == 2
    assert run("-r", own.path, "backup", own.url, "--tag", tag).returncode == 2
    assert listed(own.path) == list(own.snapshots)
    assert run_json("-r", own.path, "tag", "list") == []


def test_a_tag_names_a_snapshot(own: Vault) -> None:
    first, second = own.snapshots
    succeed("-r", own.path, "tag", "add", first, "before-upgrade")
    assert run_json("-r", own.path, "show", "before-upgrade")["id"] == first
    assert run_json("-r", own.path, "show", f"{second[:6]}~1")["id"] == first
    assert run("-r", own.path, "show", "before-upgrade~1").returncode == 1
    succeed("-r", own.path, "tag", "add", second, "before-upgrade")
    assert run_json("-r", own.path, "show", "before-upgrade")["id"] == second
    assert b"2 snapshots carry the tag" in run("-r", own.path, "show", "before-upgrade").stderr
    for words in (["forget", "before-upgrade"], ["tag", "remove", "before-upgrade", "x"],
                  ["restore", "before-upgrade", f"sqlite:///{own.source}.new"]):  # fmt: skip
        done = run("-r", own.path, *words)
        assert done.returncode == 2
        assert first.encode() in done.stderr
        assert second.encode() in done.stderr
    assert listed(own.path) == list(own.snapshots)
    found = run_json("-r", own.path, "tag", "list")
    assert [(one["tag"], one["snapshot"]) for one in found] == [
        ("before-upgrade", first), ("before-upgrade", second),
    ]  # fmt: skip
    succeed("-r", own.path, "tag", "remove", first, "before-upgrade")
    succeed("-r", own.path, "forget", "before-upgrade")
    assert listed(own.path) == [first]
    assert run_json("-r", own.path, "undelete", "before-upgrade")["snapshots"] == [second]


def test_times_are_of_one_zone_and_told(own: Vault) -> None:
    for name in ("@2126-10-25", "@2126-10-25T02:00:00Z", "@2126-10-25T02:00+01:00"):
        assert run_json("-r", own.path, "show", name)["id"] == own.snapshots[1]
    done = run("-r", own.path, "--timezone", "Europe/Berlin", "show", "@2126-07-14")
    assert b"until 2126-07-14 23:59:59 +02:00 (Europe/Berlin)" in done.stderr
    local = run("-r", own.path, "show", "@2126-07-14", env={"TZ": "Europe/Berlin"})
    assert b"until 2126-07-14 23:59:59 +02:00 (Europe/Berlin)" in local.stderr
    assert b"time (Europe/Berlin)" in succeed(
        "-r", own.path, "snapshots", env={"ROWVAULT_TIMEZONE": "Europe/Berlin"}
    )
    for zone in ({"TZ": "Europe/Berlin"}, {"TZ": "CET-1CEST,M3.5.0,M10.5.0/3"}):
        for time in ("@2026-10-25T02:30", "@2026-03-29T02:30"):
            done = run("-r", own.path, "show", time, env=zone)
            assert done.returncode == 2
            assert b"+01:00" in done.stderr
            assert b"+02:00" in done.stderr
    assert run("-r", own.path, "--timezone", "Mars/Base", "show", "@2026-01-01").returncode == 2


@pytest.mark.parametrize("by_option", [True, False])
def test_an_unknown_zone_is_refused_before_anything_is_done(
    tmp_path: Path, by_option: bool
) -> None:
    vault, source = tmp_path / "vault", tmp_path / "shop.db"
    make_database(source, 5)
    succeed("-r", vault, "init", "--no-encryption")
    words = ("--timezone", "Mars/Base") if by_option else ()
    env = {} if by_option else {"ROWVAULT_TIMEZONE": "Mars/Base"}
    done = run(*words, "-r", vault, "backup", f"sqlite:///{source}", env=env)
    assert done.returncode == 2
    assert b"'Mars/Base' is no time zone" in done.stderr
    assert run_json("-r", vault, "snapshots") == []
