"""Values and places that all rooms share: records, stores, errors, seeds."""
