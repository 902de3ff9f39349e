"""Views."""

from __future__ import annotations

from fidelity.case import Case, Named

CASES = (
    Case(
        "view on a table that is gone",
        "view that is broken",
        (
            "CREATE TABLE gone (a INT)",
            "CREATE VIEW broken AS SELECT a FROM gone",
            "DROP TABLE gone",
        ),
        ("view broken",),
        Named(
            r"view views\.broken is invalid",
            "its text is kept, no server makes it",
            at_restore=r"view views\.broken was invalid at the source",
        ),
    ),
)
