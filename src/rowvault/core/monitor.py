"""What an engine says while it works; the screen is somebody else's business."""

from __future__ import annotations

from typing import Protocol


class Monitor(Protocol):
    """Told of progress and of problems that can be survived. Called from any thread."""

    def phase(self, name: str, total_rows: int | None = None) -> None:
        """A new stretch of work begins; `total_rows` is an estimate where there is one."""
        ...

    def advance(self, rows: int, raw_bytes: int) -> None:
        """So many rows and raw bytes more are done in this phase."""
        ...

    def item(self, label: str) -> None:
        """Work turns to this table or object."""
        ...

    def warning(self, message: str) -> None:
        """Something was left out or is not as it should be; it is also in the result."""
        ...


class SilentMonitor:
    """Keeps the warnings and shows nothing."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def phase(self, name: str, total_rows: int | None = None) -> None:
        """Nothing to show."""

    def advance(self, rows: int, raw_bytes: int) -> None:
        """Nothing to show."""

    def item(self, label: str) -> None:
        """Nothing to show."""

    def warning(self, message: str) -> None:
        """Kept in `warnings`."""
        self.warnings.append(message)
