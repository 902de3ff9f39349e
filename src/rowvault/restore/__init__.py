"""The engine that turns a snapshot into a live database, and proves it."""
