"""The model in service: registry, model folder, champion, backtest."""
