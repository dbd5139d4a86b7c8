"""Who proposes points, who stops hopeless trials, and the study database.

Optuna and KerasTuner are used here.
"""
