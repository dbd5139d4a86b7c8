"""The trade-off report: facts computed from a study's trials, then drawn and written."""
