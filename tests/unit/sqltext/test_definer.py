"""Definers are read from, and written into, the head of a statement alone."""

from __future__ import annotations

import pytest

from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.sqltext.mysql.definer import Definer, definer_of, with_definer


def made(statement: bytes, charset: str = "utf8mb4") -> ObjectDefinition:
    session = (("character_set_client", charset),)
    return ObjectDefinition(ObjectKind.VIEW, "d", "v", statement, session)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (b"CREATE DEFINER=`a`@`b` PROCEDURE `p`()\nSELECT 1", Definer("a", "b")),
        (b'CREATE DEFINER="a b"@"%" TRIGGER "g" BEFORE INSERT', Definer("a b", "%")),
        (
            b"CREATE ALGORITHM=MERGE DEFINER=`we``ird@x'y\"`@`%` SQL SECURITY INVOKER VIEW `v` AS",
            Definer("we`ird@x'y\"", "%"),
        ),
        (b"CREATE DEFINER=`r` PROCEDURE `p`()\nSELECT 1", Definer("r", None)),
        (b"CREATE ALGORITHM=MERGE VIEW `v` AS select 'DEFINER=`q`@`q` '", None),
        (b"CREATE PROCEDURE `p`()\nSELECT 'CREATE DEFINER=`q`@`q` '", None),
    ],
)
def test_who_defines(statement: bytes, expected: Definer | None) -> None:
    assert definer_of(made(statement)) == expected


def test_a_body_is_left_alone_and_quotes_stay_what_they_are() -> None:
    other = Definer('it`s "o\'k"', "h")
    body = b" VIEW `v` AS select 'DEFINER=`a`@`b` '"
    view = with_definer(made(b"CREATE DEFINER=`a`@`b`" + body), other)
    assert view.statement == b'CREATE DEFINER=`it``s "o\'k"`@`h`' + body
    ansi = with_definer(made(b'CREATE DEFINER="r" PROCEDURE "p"() SELECT 1'), other)
    assert ansi.statement == b'CREATE DEFINER="it`s ""o\'k"""@"h" PROCEDURE "p"() SELECT 1'
    assert definer_of(view) == definer_of(ansi) == other


def test_a_charset_that_hides_quotes_or_lacks_characters_is_not_guessed_at() -> None:
    assert definer_of(made(b"CREATE DEFINER=`\x83`@`b` VIEW `v` AS x", "sjis")) is None
    with pytest.raises(ValueError, match="latin1"):
        with_definer(made(b"CREATE DEFINER=`a`@`b` VIEW `v` AS x", "latin1"), Definer("ž", "b"))
