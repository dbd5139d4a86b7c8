"""The claim that `open_claims` left open once more, with sixty fresh seeds.

    python -m search.run --experiment open_claim_c4

It was known that C4 had -3.8 MW with the twenty seeds of `claims` and -6.7 MW (p 0.012, too much
beside the two other claims) with the forty of `open_claims`, with a standard deviation of 18 MW
over seeds. Sixty seeds are enough to tell an effect from one too small to matter, or to show both:
then the verdict is "no difference that matters". It is judged once, after the last seed, and not
tried a fourth time. Each of the three experiments has an error of 5 % of its own.
"""

from experiments.judged_again import again

EXPERIMENT = again("open_claim_c4", ("C4",), seeds=60, seed=2)
