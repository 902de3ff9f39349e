"""Proves that a live server holds what a snapshot holds."""
