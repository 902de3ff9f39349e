"""Rowvault: content-addressed, incremental-forever backups of MySQL and MariaDB."""

__version__ = "0.2.0"
