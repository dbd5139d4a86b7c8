"""What we chose to try: declarations only, no loops."""
