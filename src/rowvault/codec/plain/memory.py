"""The process's memory: ordinary Python has no say in it."""


def keep_freed_memory(most_bytes: int) -> None:
    """Leaves everything as it is: no result depends on it."""
