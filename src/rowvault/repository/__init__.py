"""The stored format: blocks, trees, packs, index, sessions, snapshots."""
