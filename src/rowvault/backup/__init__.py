"""The engine that turns a live server into a snapshot."""
