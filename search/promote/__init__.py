"""From the best trial to a model in service: finalists, re-test, gate, registry."""
