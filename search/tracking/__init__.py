"""Everything that reads or writes MLflow runs."""
