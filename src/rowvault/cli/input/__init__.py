"""What is typed: options, names, amounts, times, passwords."""
