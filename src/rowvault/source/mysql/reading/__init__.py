"""Reads the rows of tables, divided among connections."""
