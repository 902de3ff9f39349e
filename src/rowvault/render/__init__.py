"""Snapshots as SQL text, with exact sizes."""
