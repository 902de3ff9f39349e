"""Writes databases, tables, rows and programs to a server."""
