"""Parses the command line, prints results, maps errors to exit codes."""
