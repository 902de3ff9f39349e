"""Secrets, ciphers, sealed objects and the keys that open a repository."""
