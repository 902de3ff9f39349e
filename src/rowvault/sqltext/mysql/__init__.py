"""Statements as MySQL and MariaDB write and read them."""
