"""What snapshots lack that state their warnings alone: every sentence that those could say."""

from __future__ import annotations

import pytest

from rowvault.repository.records.old_warnings import missing_of

MISSING = [
    "user `a`@`%` is left out: its statement has no known form",
    "user `a`@`db.local` is left out: the server's tables list it, but the server ignores it "
    "(its host is a name under skip_name_resolve, or it was added by hand). "
    "DROP USER `a`@`db.local`, if nobody needs it.",
    "a grant of `a`@`%` is left out: it is not in a known form.",
    "databases on which the account has no right, if there are any, are left out: it does not see "
    "them. Grant it SHOW DATABASES, or choose databases by name.",
    "database #mysql50#a-b is left out: its name is not encoded.",
    "shop.strange is left out: it is a FOREIGN TABLE.",
    "tables of shop on which the account has no right, if there are any, are left out: it does not "
    "see them. Grant it SELECT on the whole database.",
    "triggers of shop, if there are any, may be left out: the account lacks the right TRIGGER and "
    "cannot see all of them.",
    "routines of shop, if there are any, may be left out: the account lacks the right "
    "SHOW_ROUTINE (MySQL) or SELECT on mysql.proc (MariaDB) and cannot see all of them.",
    "view shop.v is left out: the server cannot read the text that it has stored (error 1064)",
    "routine shop.r is left out: its kind is not known.",
    "library shop.lib is left out: libraries are not carried.",
    "library shop.lib is left out: libraries are not carried yet.",
    "trigger shop.t is left out: the right TRIGGER is missing (error 1142)",
    "procedure shop.p is left out: its text needs the right SHOW_ROUTINE (MySQL), SHOW CREATE "
    "ROUTINE or SELECT on mysql.proc (MariaDB).",
    "vault shop.a, b, c and 2 more (information_schema.VAULTS): left out, for its kind is not "
    "known to this version.",
    "shop.far is left out: the rows of a FEDERATED table lie elsewhere.",
    "shop.odd is left out: this version cannot read the type VECTOR2 exactly.",
    "shop.bad is left out, because the server cannot open it: error 1034. Repair it, or drop it.",
    "shop.h is system-versioned: its current rows are kept, its history is left out, because it "
    "counts transactions instead of times, or the server lacks system_versioning_insert_history "
    "(MariaDB 10.11).",
    "shop.h is system-versioned: its current rows are kept, its history is left out.",
    "view main.v: its name or statement is not valid UTF-8; it is left out",
    "rows from (1) up to (99) are lost (98 rows at most)",
    "shop.orders: rows from (1) up to (99) are lost (98 rows at most)",
    "definitions of everything up to shop.t are lost, tables with all their rows",
    "and 12 more losses like these",
    "a sentence that no version has said",
]
NOT_CARRIED = [
    "histograms of shop.orders are left out: ANALYZE TABLE ... UPDATE HISTOGRAM ON a, b makes them "
    "anew.",
    "database shop is READ ONLY here, and will not be so where it is restored: set it there by "
    "ALTER DATABASE.",
    "shop.t lies in the general tablespace fast, which is not carried: it is restored into a file "
    "of its own.",
    "shop.h has its history in several partitions of bounded size: all of it is kept, but a "
    "restore puts it into the first of them.",
    "shop.t has options that no engine of this server knows, and they are left out: `x`=1.",
    "shop.t: column state has members that read '?' here (number 2, 3), and no row holds them: if "
    "that stands for a character beyond utf8mb3, the member is not carried; the server does not "
    "tell it.",
    "shop.docs: JSON column body holds members in 12 rows whose type its text does not tell "
    "(DATE, DECIMAL), such as (id=1), (id=2). The text is kept; restored, these members are the "
    "plain numbers and strings that it reads as.",
    "shop.docs: JSON column body holds members in 1 row whose type its text does not tell (BLOB). "
    "The text is kept; restored, these members are the plain numbers and strings that it reads as.",
    "sequence shop.s, which a default of shop.t calls, is gone: a restore makes a new one, which "
    "begins at 1.",
    "passwords of user `a`@`%` beside the current one are left out: they belong to another "
    "authentication method.",
    "former passwords of user `a`@`%` are left out: they belong to another authentication method.",
    "server connections (CREATE SERVER) are left out, for they are no part of a database: far.",
    "loadable functions (CREATE FUNCTION ... SONAME) are left out, for they are no part of a "
    "database: f, g.",
    "components (INSTALL COMPONENT) are left out, for they are no part of a database: file://c.",
    "resource groups are left out, for they are no part of a database: batch.",
    "spatial reference systems are left out, for they are no part of a database: 40000.",
    "general tablespaces are left out, for they are no part of a database: fast.",
    "the rows of shop.m may be of another moment than all others: MyISAM has no transactions, and "
    "it was written during the backup.",
    "the rows of shop.m may be of another moment than all others: Aria has no transactions, and "
    "tells no times.",
    "a table that was swapped for another by RENAME during the backup would not be noticed: the "
    "account may neither lock definitions nor, without the right PROCESS, compare them. "
    "`rowvault doctor` tells what to grant.",
    "table main.sqlite_stat4: a table of SQLite's own that cannot be carried over; run ANALYZE "
    "after a restore",
    "table main.t: collation OWN, OTHER is a program's own; the rows are kept, but a restore needs "
    "that collation",
    "virtual table main.found: it points into t by rowids that no column holds, and they may "
    'change; rebuild it after a restore: INSERT INTO "found"("found") VALUES(\'rebuild\')',
]


@pytest.mark.parametrize("warning", MISSING)
def test_a_sentence_about_rows_or_objects_says_that_they_are_missing(warning: str) -> None:
    assert missing_of([NOT_CARRIED[0], warning]) == (warning,)


@pytest.mark.parametrize("warning", NOT_CARRIED)
def test_a_sentence_about_a_property_leaves_a_snapshot_whole(warning: str) -> None:
    assert missing_of([warning]) == ()


def test_a_name_in_a_sentence_does_not_change_what_it_says() -> None:
    odd = "a\nb are left out, for they are no part of a database: c."
    assert missing_of([f"view shop.{odd} is left out: the right SHOW VIEW is missing (x)."])
    assert not missing_of([f"histograms of shop.{odd} are left out: ANALYZE TABLE ... UPDATE "
                           "HISTOGRAM ON c makes them anew."])  # fmt: skip
