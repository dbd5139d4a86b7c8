"""The claim that `open_claims` left open once more, with sixty fresh seeds.

    python -m search.run --experiment open_claim_c4

In `open_claims` the differences of C4 over seeds had a standard deviation of 18 MW. With sixty
seeds the interval is narrow enough to tell an effect from one that is too small to matter. It is
judged once, after the last seed.
"""

from experiments.judged_again import again

EXPERIMENT = again("open_claim_c4", ("C4",), seeds=60, seed=2)
