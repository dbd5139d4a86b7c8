"""Training and forecasts of stacked LSTMs on a CPU, in compiled vector code. See README.md."""
