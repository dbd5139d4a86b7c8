"""Rolling origins: the periods that a re-test trains and judges on."""

from data_pipeline.framing import Framing
from search.common.errors import WrongInput

_FEWEST_TRAINED = 0.2


def rolling(framing: Framing, count: int) -> list[Framing]:
    """Rolling origins inside train and validation: `count` splits, forward in time.

    Each split is judged on a period as long as the search's validation period. The last split is
    the search's own. Each earlier split ends where the validation of the next one begins.

    Raises:
        WrongInput: the first split would have too few training windows.
    """
    made = []
    for back in range(count - 1, -1, -1):
        train = framing.train - back * framing.validation
        if train < _FEWEST_TRAINED:
            most = int((framing.train - _FEWEST_TRAINED) / framing.validation) + 1
            raise WrongInput(
                f"--folds {count}: the first would learn from {train:.0%} of the windows; expected "
                f"at least {_FEWEST_TRAINED:.0%}, so at most {most} folds"
            )
        test = 1.0 - train - framing.validation
        plain = framing.model_dump() | {"train": train, "test": test}
        made.append(Framing.model_validate(plain))
    return made
