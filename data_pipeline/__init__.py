"""The data: one file in, scaled windows out. This room knows no model."""
