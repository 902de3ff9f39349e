"""Ids, the model, errors and the monitor; no I/O."""
