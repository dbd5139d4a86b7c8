"""How one coordinator scales: measured with workers that sleep as a trial would take."""
