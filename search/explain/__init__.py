"""`python -m search.explain`: the way from one network to another, one setting at a time."""
