"""Measurements behind docs/performance.md, made once; each is a script of its own."""
