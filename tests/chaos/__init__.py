"""Kills searches again and again, and audits what they leave in both stores."""
