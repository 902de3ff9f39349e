"""Standard output: the one place where results are written."""

from __future__ import annotations

import json
import os
import sys


class OutputClosed(Exception):
    """Whoever read standard output has gone; there is nobody left to tell."""


def write_bytes(data: bytes) -> None:
    """Writes raw bytes. Raises OutputClosed."""
    try:
        sys.stdout.buffer.write(data)
    except BrokenPipeError:
        raise OutputClosed from None


def write_line(line: str = "") -> None:
    """Writes one line; what the terminal's charset lacks is escaped. Raises OutputClosed."""
    encoding = sys.stdout.encoding or "utf-8"
    write_bytes(f"{line}\n".encode(encoding, "backslashreplace"))


def write_json(document: object) -> None:
    """Writes one JSON document. Raises OutputClosed."""
    write_bytes(json.dumps(document, indent=2).encode("ascii") + b"\n")


def flush() -> None:
    """Hands everything to the reader. Raises OutputClosed; OSError when it cannot be written."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise OutputClosed from None


def abandon() -> None:
    """Points standard output nowhere, so that the interpreter's last flush cannot fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def is_terminal() -> bool:
    """A person looks at standard output."""
    return sys.stdout.isatty()
