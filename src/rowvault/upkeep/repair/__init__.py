"""Mends what can be mended, and names what is lost."""
