"""The index: which block lies in which frame of which pack."""
