"""Reads a repository and names what is damaged or missing."""
