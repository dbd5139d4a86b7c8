"""Running and judging many trials; the only room with commands."""
