"""What the network sees: one series in, scaled windows out; knows no model."""
