"""Whether a target can take what is restored, and how what is in the way is replaced."""
