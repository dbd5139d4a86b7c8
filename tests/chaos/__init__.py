"""Searches that are killed, again and again, and an audit of what they left in both stores."""
