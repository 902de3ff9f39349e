"""What is shown: results, tables, progress, errors, exit codes."""
