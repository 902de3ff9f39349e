"""What the stock clients make of programs otherwise than they are."""

from __future__ import annotations

import pytest

from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.sqltext.mysql.program import framed_program, shortcoming


def procedure(body: bytes) -> ObjectDefinition:
    return ObjectDefinition(ObjectKind.PROCEDURE, "d", "p", b"CREATE PROCEDURE p () " + body)


# As the mysql client 9.7 was seen to read them.
@pytest.mark.parametrize(
    ("body", "is_kept"),
    [
        (b"BEGIN SELECT 1 /* d */; END", False),
        (b"BEGIN SELECT /* d */1; END", False),
        (b"BEGIN SELECT 1 /* a\n b */; END", False),
        (b"BEGIN SELECT 1 /*d*//*e*/; END", False),
        (b"BEGIN SELECT 1 /* d */ ; END", True),
        (b"BEGIN SELECT 1 /* d */\n; END", True),
        (b"BEGIN SELECT '/* d */'; END", True),
        (b'BEGIN SELECT `/*x*/`.a, "*/"; END', True),
        (b"BEGIN SELECT 1 -- /* d */x\n; END", True),
        (b"BEGIN SELECT 1 # it's\n; END", True),
        (b"BEGIN /*!50000 SELECT 1*/; END", True),
        (b"BEGIN SELECT/*+ hint */1; END", True),
        (b"BEGIN SELECT 1; END /* last */", True),
    ],
)
def test_a_comment_that_touches_a_word_is_named_for_mysql(body: bytes, is_kept: bool) -> None:
    told = shortcoming(procedure(body), "mysql")
    assert ("procedure d.p" in told) is not is_kept
    assert shortcoming(procedure(body), "mariadb") == ""


def test_a_delimiter_is_no_part_of_a_comment() -> None:
    for body in (b"SELECT 1 -- last", b"SELECT 1 # last"):
        assert body + b"\n;;\n" in framed_program(procedure(body), "mysql")
    assert b"SELECT 1;;\n" in framed_program(procedure(b"SELECT 1"), "mysql")
