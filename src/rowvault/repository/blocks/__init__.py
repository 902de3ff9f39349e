"""Blocks read back: the frame, its bases, the proof of the id."""
