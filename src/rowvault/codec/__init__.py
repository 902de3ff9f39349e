"""Rows, keys, cuts, renderings and frames: bytes in, bytes out."""
