"""What of SHOW CREATE TABLE is kept."""

from __future__ import annotations

from rowvault.source.mysql.schema.create_statement import kept_statement


def test_an_inherited_collation_is_not_kept() -> None:
    shown = (
        b"CREATE TABLE `a COLLATE utf8mb4_bin` (\n"
        b"  `a` char(9) COLLATE utf8mb4_bin DEFAULT NULL COMMENT ' COLLATE utf8mb4_bin, it''s',\n"
        b"  `b` varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT 'x\\' COLLATE=y',\n"
        b"  `c` varchar(9) COLLATE utf8mb4_cs_0900_ai_ci DEFAULT NULL,\n"
        b"  KEY `k` (((`a` collate utf8mb4_bin)))\n"
        b") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT=' COLLATE=z'"
    )
    inherited = b"char(9) COLLATE utf8mb4_bin DEFAULT NULL COMMENT"
    assert kept_statement(shown, {b"latin2": b"latin2_general_ci"}.__getitem__) == shown.replace(
        inherited, b"char(9) DEFAULT NULL COMMENT"
    )


def test_how_old_temporals_are_stored_is_not_kept() -> None:
    shown = (
        b"CREATE TABLE `t` (\n  `a` datetime /* mariadb-5.3 */ DEFAULT NULL,\n"
        b"  `b` time /* 5.5 binary format */ COMMENT ' /* mariadb-5.3 */'\n) ENGINE=MyISAM"
    )
    assert kept_statement(shown, {b"latin2": b"latin2_general_ci"}.__getitem__) == (
        b"CREATE TABLE `t` (\n  `a` datetime DEFAULT NULL,\n"
        b"  `b` time COMMENT ' /* mariadb-5.3 */'\n) ENGINE=MyISAM"
    )


def test_a_charset_has_its_collation() -> None:
    shown = b"CREATE TABLE `t` (\n  `a` char(9) CHARACTER SET latin2 DEFAULT ' CHARACTER SET x'\n)"
    assert b" CHARACTER SET latin2 COLLATE latin2_general_ci DEFAULT ' CHARACTER SET x'" in (
        kept_statement(shown, {b"latin2": b"latin2_general_ci"}.__getitem__)
    )
