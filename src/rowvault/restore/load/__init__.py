"""Makes databases, tables and programs on a target, and loads their rows."""
