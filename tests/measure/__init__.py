"""One-off measurements for docs/performance.md; each is a script."""
