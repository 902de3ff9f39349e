"""The live server: MySQL, MariaDB and SQLite, read and written."""
