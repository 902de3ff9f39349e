"""Trees of blocks, and the manifest, which is one."""
