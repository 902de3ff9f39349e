"""What differs between snapshots."""
