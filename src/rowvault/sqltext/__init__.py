"""Quoting, literals and statements."""
