"""The experiments by name."""

from experiments.claims import EXPERIMENT as CLAIMS
from experiments.documents import EXPERIMENT as DOCUMENTS
from experiments.experiment import Experiment
from experiments.full_curves import EXPERIMENT as FULL_CURVES
from experiments.open_claim_c4 import EXPERIMENT as OPEN_CLAIM_C4
from experiments.open_claims import EXPERIMENT as OPEN_CLAIMS
from experiments.power_usage import EXPERIMENT as POWER_USAGE
from experiments.power_usage_large import EXPERIMENT as POWER_USAGE_LARGE
from experiments.slips import EXPERIMENT as SLIPS
from experiments.smoke import EXPERIMENT as SMOKE
from experiments.tradeoff import EXPERIMENT as TRADEOFF

CATALOGUE: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        POWER_USAGE,
        POWER_USAGE_LARGE,
        DOCUMENTS,
        SLIPS,
        CLAIMS,
        OPEN_CLAIMS,
        OPEN_CLAIM_C4,
        TRADEOFF,
        FULL_CURVES,
        SMOKE,
    )
}
