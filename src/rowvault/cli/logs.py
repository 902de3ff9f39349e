"""Log records of all layers, on standard error, when asked for."""

from __future__ import annotations

import sys


def configure(verbosity: int) -> None:
    """Nothing below -v; then what is informative, with -vv everything."""
    if not verbosity:
        return
    import logging

    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if verbosity > 1 else logging.INFO,
        format="%(levelname)s %(name)s: %(message)s",
        force=True,
    )
