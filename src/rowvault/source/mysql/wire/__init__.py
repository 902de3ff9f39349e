"""Connections: options, login, statements, rows from the socket, errors."""
