"""Who trains a task, and on which machine: pools, training processes, one trial."""
