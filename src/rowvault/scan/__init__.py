"""Reads the tables of a live server into block trees: to store them, or to prove them equal."""
