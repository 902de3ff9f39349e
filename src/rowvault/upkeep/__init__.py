"""Checks, prunes, repairs and measures a repository."""
