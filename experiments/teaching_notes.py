"""The three configurations of the teaching notes: every study's reference points."""

from experiments.experiment import Design
from models.parameters import TrialParameters

EPOCHS = 50

MAIN = Design(
    name="main",
    parameters=TrialParameters(
        units=(64, 32),
        dropout=(0.2, 0.1),
        l2=1e-4,
        learning_rate=1e-3,
        batch_size=64,
        patience=7,
        epochs=EPOCHS,
    ),
)
# Strong regularisation.
MAIN2 = Design(
    name="main2",
    parameters=TrialParameters(
        units=(64, 32),
        dropout=(0.2, 0.2),
        l2=1e-3,
        learning_rate=1e-3,
        batch_size=32,
        patience=7,
        epochs=EPOCHS,
    ),
)
# Loosened, and larger.
MAIN3 = Design(
    name="main3",
    parameters=TrialParameters(
        units=(128, 64),
        dropout=(0.2, 0.1),
        l2=1e-4,
        learning_rate=1e-3,
        batch_size=32,
        patience=7,
        epochs=EPOCHS,
    ),
)
DOCUMENTED = (MAIN, MAIN2, MAIN3)
