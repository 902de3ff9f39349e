"""Log records of all layers, on standard error."""

from __future__ import annotations

import logging
import sys

from rowvault.cli.output.formatting import printable_lines

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)


class _Formatter(logging.Formatter):
    """`warning: message`, like every other line there."""

    def format(self, record: logging.LogRecord) -> str:
        text = f"{record.levelname.lower()}: {record.getMessage()}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return printable_lines(text)


def configure(verbosity: int) -> None:
    """Warnings always; from -v on what is informative, from -vv on everything."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter())
    logger = logging.getLogger("rowvault")
    logger.handlers[:] = [handler]
    logger.propagate = False
    logger.setLevel(_LEVELS[min(verbosity, 2)])
