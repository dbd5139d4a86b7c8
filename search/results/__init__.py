"""What the numbers of a study say: pure functions, no stores."""
