"""Keys of tables: columns, bounds, ranges, and how values compare."""
