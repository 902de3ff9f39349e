"""One consistency point for several connections, and definitions that hold still."""
