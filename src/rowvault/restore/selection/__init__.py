"""What is restored, and under which names."""
