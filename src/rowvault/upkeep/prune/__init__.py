"""Removes what no snapshot needs."""
