"""Stored programs as the stock clients read them."""

from __future__ import annotations

import pytest

from rowvault.core.model import Column, ObjectDefinition, ObjectKind, ValueKind
from rowvault.sqltext.insert import insert_prefix
from rowvault.sqltext.mysql.database import create_database
from rowvault.sqltext.mysql.program import framed_program
from rowvault.sqltext.mysql.session_marks import INVALID, OWN_COLLATION


def program(statement: bytes, **session: str) -> ObjectDefinition:
    return ObjectDefinition(
        ObjectKind.PROCEDURE, "d", "p", statement, session=tuple(session.items())
    )


@pytest.mark.parametrize(
    ("statement", "delimiter"),
    [(b"x; y", b";;"), (b"a;;b", b"$$"), (b";;$$", b"$$1$$"), (b";;$$1$$", b"$$2$$")],
)
def test_the_delimiter_does_not_stand_in_the_statement(statement: bytes, delimiter: bytes) -> None:
    framed = framed_program(program(statement), "mysql")
    assert b"DELIMITER %b\n%b%b\nDELIMITER ;\n" % (delimiter, statement, delimiter) in framed


def test_comments_travel_in_a_string_to_mariadb() -> None:
    framed = framed_program(program(b"select 'a' /* b */"), "mariadb")
    assert b"EXECUTE IMMEDIATE 'select ''a'' /* b */';\n" in framed
    assert b"DELIMITER" not in framed


@pytest.mark.parametrize(
    ("statement", "charset"),
    [(b"select '\xe9' -- x", "latin1"), (b"select '\\' -- x", "utf8mb4"), (b"# \0", "utf8mb4")],
)
def test_what_a_string_could_change_travels_as_hex(statement: bytes, charset: str) -> None:
    framed = framed_program(program(statement, character_set_client=charset), "mariadb")
    assert b"EXECUTE IMMEDIATE X'%b';\n" % statement.hex().upper().encode() in framed


def test_the_session_is_the_programs_and_then_the_scripts_again() -> None:
    framed = framed_program(
        program(b"x", sql_mode="ANSI", time_zone="+05:00", character_set_client="latin1"), "mysql"
    )
    before, _, after = framed.partition(b"DELIMITER ;;\n")
    assert b"SET SESSION sql_mode = 'ANSI';\n" in before
    assert b"SET SESSION time_zone = '+05:00';\n" in before
    assert b"SET character_set_client = latin1;\n" in before
    assert after.endswith(
        b"SET NAMES utf8mb4;\nSET SESSION sql_mode = @rowvault_object_sql_mode;\n"
        b"SET SESSION time_zone = @rowvault_object_time_zone;\n"
    )


def test_another_collation_of_the_database_is_set_and_taken_back() -> None:
    session = {"collation_database": "latin2_czech_cs", OWN_COLLATION: "latin2_general_ci"}
    framed = framed_program(program(b"x", **session), "mysql")
    first = framed.index(b"ALTER DATABASE `d` COLLATE latin2_czech_cs;\n")
    assert first < framed.index(b"x;;") < framed.index(b"COLLATE latin2_general_ci;\n")


def test_an_invalid_view_that_reads_elsewhere_is_a_comment_whatever_it_holds() -> None:
    framed = framed_program(program(b"a\nDROP\r\n`o`.`f`()", **{INVALID: "1"}), "mysql")
    assert all(line.startswith(b"-- ") for line in framed.splitlines())
    assert b"-- DROP\n" in framed


def test_a_database_is_made_under_its_name_where_it_is_missing() -> None:
    definition = ObjectDefinition(
        ObjectKind.DATABASE, "n`w", "n`w", b"CREATE DATABASE `o``d` CHARACTER SET utf8mb4"
    )
    assert create_database(definition) == (
        b"CREATE DATABASE IF NOT EXISTS `n``w` CHARACTER SET utf8mb4"
    )


def test_another_statement_makes_no_database() -> None:
    with pytest.raises(ValueError, match="does not create a database"):
        create_database(ObjectDefinition(ObjectKind.DATABASE, "d", "d", b"DROP DATABASE `d`"))


def test_an_insert_names_its_columns() -> None:
    columns = [Column("a`b", "int", ValueKind.NUMBER), Column("é", "int", ValueKind.NUMBER)]
    assert insert_prefix("d", "t", columns) == "INSERT INTO `d`.`t` (`a``b`,`é`) VALUES\n".encode()
    assert insert_prefix(None, "t", columns[1:]) == "INSERT INTO `t` (`é`) VALUES\n".encode()


def test_characters_that_hide_a_backslash_reach_the_server_whole() -> None:
    hiding = program(b"SELECT '\x83\x5c'", character_set_client="sjis")
    assert b"EXECUTE IMMEDIATE X'" in framed_program(hiding, "mariadb")
    framed = framed_program(hiding, "mysql")
    assert framed.startswith(b"\\C sjis\n")
    assert framed.endswith(b"\\C utf8mb4\n")
