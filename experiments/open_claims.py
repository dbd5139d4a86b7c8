"""Three claims that `claims` left open after twenty seeds, again, with forty fresh seeds.

    python -m search.run --experiment open_claims

Of the open claims C4, C5 and C8 cost the fewest trainings; they were chosen before any fresh seed
was trained. All three are judged once, after the last seed.
"""

from experiments.judged_again import again

EXPERIMENT = again("open_claims", ("C4", "C5", "C8"), seeds=40, seed=1)
