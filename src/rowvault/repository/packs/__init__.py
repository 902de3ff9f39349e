"""Packs: files of frames, written once, each with a sealed footer."""
