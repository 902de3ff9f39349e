"""What the warnings of a snapshot mean that does not state it: which rows or objects are missing.

A document without `missing` was written by a version that kept only sentences. All that such a
version could say is known; what is none of it counts as missing, because that is the safe reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_NOT_CARRIED = (
    r"histograms of .+ are left out: ANALYZE TABLE \.\.\. UPDATE HISTOGRAM ON .+ makes them anew\.",
    r"database .+ is READ ONLY here, and will not be so where it is restored: set it there by "
    r"ALTER DATABASE\.",
    r".+ lies in the general tablespace .+, which is not carried: it is restored into a file of "
    r"its own\.",
    r".+ has its history in several partitions of bounded size: all of it is kept, but a restore "
    r"puts it into the first of them\.",
    r".+ has options that no engine of this server knows, and they are left out: .+\.",
    r".+: column .+ has members that read '\?' here \(number .+\), and no row holds them: .+",
    r".+: JSON column .+ holds members in [0-9]+ rows? whose type its text does not tell .+",
    r"sequence .+, which a default of .+ calls, is gone: a restore makes a new one, which begins "
    r"at 1\.",
    r"(former )?passwords of user .+ (beside the current one )?are left out: they belong to "
    r"another authentication method\.",
    r"(server connections|loadable functions|components|resource groups|spatial reference systems"
    r"|general tablespaces)( \(.+?\))? are left out, for they are no part of a database: .+\.",
    r"the rows of .+ may be of another moment than all others: .+",
    r"a table that was swapped for another by RENAME during the backup would not be noticed: .+",
    r"table main\..+: a table of SQLite's own that cannot be carried over; run ANALYZE after a "
    r"restore",
    r"table main\..+: collation .+ is a program's own; the rows are kept, but a restore needs that "
    r"collation",
    r"virtual table main\..+: it points into .+ by rowids that no column holds, and they may "
    r"change; rebuild it after a restore: .+",
)
"""Sentences about a property: the rows and objects are there."""
_PATTERN = re.compile("|".join(f"(?:{one})" for one in _NOT_CARRIED), re.DOTALL)


def missing_of(warnings: Iterable[str]) -> tuple[str, ...]:
    """Those of an old snapshot's warnings that tell of missing rows or objects."""
    return tuple(one for one in warnings if not _PATTERN.fullmatch(one))
