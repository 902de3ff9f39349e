"""Small objects: snapshots, sessions, the trash, the ledgers."""
