"""The documents of --json have exactly the keys that docs/reference/json.md names."""

from __future__ import annotations

from pathlib import Path

from cli.vaults import Vault, change_database, make_database
from rowvault.cli.output.formatting import format_bytes
from support.golden import golden_copy
from support.rowvault import run_json, succeed


def test_init(tmp_path: Path) -> None:
    document = run_json("-r", tmp_path / "v", "init", "--no-encryption")
    assert document.keys() == {"repository", "id", "encrypted"}
    assert document["repository"] == str(tmp_path / "v")
    assert document["encrypted"] is False


def test_backup(tmp_path: Path, empty_vault: Path) -> None:
    source = tmp_path / "shop.db"
    make_database(source)
    first = run_json("-r", empty_vault, "backup", f"sqlite:///{source}", "-j", "2")
    assert first.keys() == {
        "snapshot", "parent", "source", "tables", "accounts", "rows", "raw_bytes", "blocks",
        "new_blocks", "stored_bytes", "seconds", "waited_seconds", "workers", "moment", "warnings",
        "missing", "notices", "damage",
    }  # fmt: skip
    assert first["parent"] is None
    assert (first["tables"], first["rows"], first["warnings"]) == (2, 2002, [])
    assert sum(worker["rows"] for worker in first["workers"]) == 2002
    assert all(worker.keys() == {"rows", "seconds"} for worker in first["workers"])
    stored = sum(path.stat().st_size for path in empty_vault.rglob("*") if path.is_file())
    assert 0 < first["stored_bytes"] < stored

    change_database(source)
    second = run_json("-r", empty_vault, "backup", f"sqlite:///{source}")
    assert second["parent"] == first["snapshot"]
    assert second["rows"] == 2001


def test_doctor(tmp_path: Path) -> None:
    source = tmp_path / "shop.db"
    make_database(source)
    found = run_json("doctor", f"sqlite:///{source}")
    assert found.keys() == {
        "source", "server", "method", "reason", "definitions", "definitions_reason", "problems",
        "omissions", "warnings", "grants",
    }  # fmt: skip
    assert found["source"] == str(source)
    assert found["server"].keys() == {"vendor", "version", "id", "url"}
    assert found["server"]["url"] == f"sqlite:///{source}"
    assert (found["method"], found["problems"], found["grants"]) == ("transaction", [], {})
    assert b"transaction" in succeed("doctor", f"sqlite:///{source}")


def test_doctor_of_a_repository(vault: Vault) -> None:
    found = run_json("doctor", vault.path)
    assert found.keys() == {
        "repository", "id", "encrypted", "keys", "snapshots", "forgotten", "sessions", "features",
        "missing_features", "damage",
    }  # fmt: skip
    assert (found["snapshots"], found["missing_features"], found["damage"]) == (2, [], [])
    assert b"deltas" in succeed("doctor", vault.path)


def test_upgrade(tmp_path: Path) -> None:
    """Of a repository that the first version made."""
    place = golden_copy("v1-plain", tmp_path)
    lacking = run_json("-r", place, "check")["missing_features"]
    planned = run_json("-r", place, "upgrade", "--dry-run")
    assert planned.keys() == {"dry_run", "features", "adopted"}
    assert [one["name"] for one in planned["features"]] == lacking
    for one in run_json("doctor", place)["missing_features"]:
        assert one.keys() == {"name", "access", "since", "gain"}
        assert f"{one['name']} would be".encode() in succeed("-r", place, "upgrade", "--dry-run")
    assert b"can then" in succeed("-r", place, "upgrade")
    nothing = {"dry_run": False, "features": [], "adopted": None}
    assert run_json("-r", place, "upgrade") == nothing
    assert run_json("-r", place, "check")["missing_features"] == []


def test_a_dry_run_stores_nothing(tmp_path: Path, empty_vault: Path) -> None:
    source = tmp_path / "shop.db"
    make_database(source)
    files = sorted(path for path in empty_vault.rglob("*") if path.is_file())
    document = run_json("-r", empty_vault, "backup", f"sqlite:///{source}", "--dry-run")
    assert document["snapshot"] is None
    assert document["rows"] == 2002
    assert sorted(path for path in empty_vault.rglob("*") if path.is_file()) == files


def test_snapshots(vault: Vault) -> None:
    document = run_json("-r", vault.path, "snapshots")
    assert [entry["id"] for entry in document] == list(vault.snapshots)
    for entry in document:
        assert entry.keys() == {
            "id", "time", "source", "tags", "tables", "rows", "raw_bytes", "whole",
        }  # fmt: skip
        assert entry["time"].endswith("Z")
        assert entry["source"].endswith(str(vault.source))
    assert [entry["tags"] for entry in document] == [["first"], ["a", "b"]]


def test_no_snapshots(empty_vault: Path) -> None:
    assert run_json("-r", empty_vault, "snapshots") == []


def test_show(vault: Vault) -> None:
    document = run_json("-r", vault.path, "show", "latest")
    assert document.keys() == {
        "id", "time", "parent", "tags", "source", "server", "moment", "selection", "tables",
        "rows", "raw_bytes", "blocks", "new_blocks", "stored_bytes", "seconds", "warnings",
        "tool_version", "whole", "missing", "grants",
    }  # fmt: skip
    assert (document["id"], document["parent"]) == (vault.snapshots[1], vault.snapshots[0])
    assert document["server"]["vendor"] == "sqlite"
    assert document["selection"] == {
        "databases": [],
        "tables": [],
        "excludes": [],
        "users": False,
    }


def test_stats(vault: Vault) -> None:
    document = run_json("-r", vault.path, "stats")
    assert document.keys() == {
        "repository", "snapshot", "time", "source", "snapshots", "raw_bytes", "unique_bytes",
        "savings", "rows", "bases", "manifests", "nodes", "unused", "others", "exclusive_bytes",
        "overhead_bytes", "unlisted_bytes", "files", "stored_bytes", "growth", "figures",
        "prune", "prune_unknown",
    }  # fmt: skip
    assert document["prune"] == run_json("-r", vault.path, "prune", "--dry-run")
    assert document["prune_unknown"] is None
    on_disk = sum(path.stat().st_size for path in vault.path.rglob("*") if path.is_file())
    assert document["stored_bytes"] == sum(document["files"].values()) == on_disk
    assert document["savings"].keys() == {"dedup_bytes", "compression_bytes", "delta_bytes"}
    shown = [run_json("-r", vault.path, "show", one) for one in vault.snapshots]
    assert document["raw_bytes"] == sum(one["raw_bytes"] for one in shown)
    for growth, one in zip(document["growth"], shown, strict=True):
        assert growth == {key: one[key] for key in growth}
    left = document["raw_bytes"] - sum(document["savings"].values())
    assert left == sum(depth["stored_bytes"] for depth in document["rows"])

    figures = document["figures"]
    assert figures["snapshot"] == vault.snapshots[1]
    assert figures["backup_ratio"] == {
        "part_bytes": shown[1]["stored_bytes"],
        "total_bytes": shown[1]["raw_bytes"],
        "ratio": shown[1]["stored_bytes"] / shown[1]["raw_bytes"],
    }
    assert figures["backup_time"]["measured_seconds"] == shown[1]["seconds"]

    one = run_json("-r", vault.path, "stats", "latest~1", "--restore-speed", "1K")
    assert (one["snapshot"], one["unused"], one["prune"]) == (vault.snapshots[0], None, None)
    assert (one["time"], one["source"]) == (shown[0]["time"], str(vault.source))
    assert 0 < one["exclusive_bytes"] < one["others"]["stored_bytes"] + one["stored_bytes"]
    time = one["figures"]["restore_time"]
    assert (time["bytes_per_second"], time["measured_seconds"]) == (1024, None)
    assert time["estimated_seconds"] == one["raw_bytes"] / 1024


def test_stats_of_deltas_and_their_bases(tmp_path: Path, empty_vault: Path) -> None:
    source = tmp_path / "shop.db"
    make_database(source, 20_000)
    succeed("-r", empty_vault, "backup", f"sqlite:///{source}")
    change_database(source)
    succeed("-r", empty_vault, "backup", f"sqlite:///{source}")
    both = run_json("-r", empty_vault, "stats")
    assert [one["depth"] for one in both["rows"]] == [0, 1]
    assert both["savings"]["delta_bytes"] > 0
    assert (both["bases"]["blocks"], both["unused"]["blocks"]) == (0, 0)
    succeed("-r", empty_vault, "forget", "latest~1")
    left = run_json("-r", empty_vault, "stats")
    assert left["bases"]["blocks"] > 0
    parts = [*left["rows"], left["bases"], left["manifests"], left["nodes"], left["unused"]]
    packs = left["files"]["data_packs"] + left["files"]["tree_packs"]
    assert packs == left["overhead_bytes"] + sum(part["stored_bytes"] for part in parts)
    told = succeed("-r", empty_vault, "stats").decode()
    done = run_json("-r", empty_vault, "prune")
    assert left["prune"] == done | {"dry_run": True}
    assert f"a prune                frees {format_bytes(done['freed_bytes'])}" in told


def test_stats_of_nothing(empty_vault: Path) -> None:
    document = run_json("-r", empty_vault, "stats")
    assert (document["snapshots"], document["growth"], document["figures"]) == (0, [], None)
    assert b"all files" in succeed("-r", empty_vault, "stats")


def test_ls(vault: Vault) -> None:
    databases = run_json("-r", vault.path, "ls", "latest")
    assert databases["snapshot"] == vault.snapshots[1]
    (main,) = databases["databases"]
    assert main.keys() == {"database", "tables", "rows", "raw_bytes", "objects"}
    assert (main["database"], main["tables"], main["rows"]) == ("main", 2, 2001)

    tables = run_json("-r", vault.path, "ls", "latest", "main")
    assert tables.keys() == {"snapshot", "time", "source", "database", "tables", "objects"}
    assert [one["table"] for one in tables["tables"]] == ["items", "notes"]
    assert all(one.keys() == {"table", "rows", "raw_bytes", "blocks"} for one in tables["tables"])
    objects = {(one["kind"], one["name"], one["parent"]) for one in tables["objects"]}
    assert {("view", "dear", None), ("index", "items_by_name", "items")} <= objects

    table = run_json("-r", vault.path, "ls", "latest", "main.items")
    assert table.keys() == {
        "snapshot", "time", "source", "database", "table", "rows", "raw_bytes", "blocks", "columns",
        "key", "statement",
    }  # fmt: skip
    assert [one["column"] for one in table["columns"]] == ["id", "name", "price"]
    assert table["key"] == ["id"]
    assert table["statement"].startswith("CREATE TABLE items")


def test_dump(vault: Vault, tmp_path: Path) -> None:
    file = tmp_path / "dump.sql"
    document = run_json("-r", vault.path, "dump", "latest", "-o", file)
    taken = {key: document.pop(key) for key in ("snapshot", "time", "source")}
    assert (taken["snapshot"], taken["source"]) == (vault.snapshots[1], str(vault.source))
    assert document == {
        "file": str(file), "tables": 2, "rows": 2001, "bytes": file.stat().st_size, "warnings": [],
    }  # fmt: skip


def test_restore(vault: Vault, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path / 'new.db'}"
    document = run_json("-r", vault.path, "restore", "latest", target)
    assert document.keys() == {
        "snapshot",
        "time",
        "source",
        "objects",
        "definers",
        "left_out",
        "incomplete",
        "in_the_way",
        "dry_run",
        "replaced",
        "tables",
        "kept_tables",
        "accounts",
        "rows",
        "raw_bytes",
        "seconds",
        "verified",
        "warnings",
    }
    assert (document["rows"], document["verified"]) == (2001, True)
    document = run_json("-r", vault.path, "restore", "latest", target, "--replace", "--no-verify",
                        "--onto", tmp_path / "new.db")  # fmt: skip
    assert document["verified"] is None


def test_diff(vault: Vault) -> None:
    document = run_json("-r", vault.path, "diff", "latest~1", "latest")
    assert document.keys() == {
        "old", "new", "tables", "objects", "old_time", "old_source", "new_time", "new_source",
    }  # fmt: skip
    assert document["old_source"] == document["new_source"] == str(vault.source)
    assert (document["old"], document["new"]) == vault.snapshots
    assert document["tables"] == [
        {"database": "main", "table": "items", "status": "changed",
         "added": 1, "removed": 2, "changed": 3},
        {"database": "main", "table": "notes", "status": "same",
         "added": 0, "removed": 0, "changed": 0},
    ]  # fmt: skip
    assert document["objects"] == []
    back = run_json("-r", vault.path, "diff", "latest", "latest~1", "main.items")
    assert [(one["added"], one["removed"], one["changed"]) for one in back["tables"]] == [(2, 1, 3)]


def test_check(vault: Vault) -> None:
    shallow = run_json("-r", vault.path, "check")
    deep = run_json("-r", vault.path, "check", "--read-data")
    for document in (shallow, deep):
        assert document.keys() == {
            "errors", "packs", "packs_read", "unlisted_packs", "condemned_packs",
            "ambiguous_blocks", "blocks", "bytes_read", "foreign", "missing_features", "accepted",
        }  # fmt: skip
        assert document["unlisted_packs"] == document["condemned_packs"] == 0
        assert document["errors"] == []
    assert deep["bytes_read"] > 0


def test_version() -> None:
    document = run_json("version")
    assert document.keys() == {"rowvault", "python", "platform", "kernel", "libraries"}
    assert document["kernel"] in ("compiled", "plain")


def test_the_option_may_stand_behind(vault: Vault) -> None:
    assert succeed("snapshots", "--json", "-r", vault.path) == succeed(
        "--json", "-r", vault.path, "snapshots"
    )
