"""What a server holds: tables, programs, and their definitions."""
