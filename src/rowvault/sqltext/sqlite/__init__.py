"""Scripts for SQLite."""
