"""The command line: parse, print, exit code.

Modules here import the engines inside the functions that use them. The reason, written once: a
database driver, a cipher and a compressor take longer to import than `--help` and a wrong option
may take to answer.
"""
