"""The process's memory: ordinary Python has no say in it."""


def keep_freed_memory() -> None:
    """Leaves everything as it is: no result depends on it."""
