"""Statistics on the numbers of a study: pure functions, no stores."""
