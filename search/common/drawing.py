"""How a study draws its points: the names of tuners, samplers and pruners, and which fit."""

from dataclasses import dataclass

from search.common.errors import WrongInput

OPTUNA = "optuna"
KERAS_TUNER = "keras-tuner"
# The first of each is the default.
SAMPLERS = {
    OPTUNA: ("tpe", "gp", "qmc", "random"),
    KERAS_TUNER: ("bayesian", "random", "hyperband"),
}
PRUNERS = {OPTUNA: ("median", "hyperband", "patient", "none"), KERAS_TUNER: ("none",)}
# Only the benchmark compares these pruners.
COMPARED_PRUNERS = ("quartile", "halving")


@dataclass(frozen=True)
class Drawing:
    """How a study draws its points: the library, its sampler (or oracle), and the pruner."""

    tuner: str = OPTUNA
    sampler: str = SAMPLERS[OPTUNA][0]
    pruner: str = PRUNERS[OPTUNA][0]

    @property
    def contract(self) -> dict[str, object]:
        """The part that must stay the same for a study.

        Optuna's samplers learn from any trials, so the sampler may change. An oracle cannot change:
        it has its own project directory, and Hyperband decides the epochs of its trials.
        """
        kept: dict[str, object] = {"tuner": self.tuner}
        return kept | ({"sampler": self.sampler} if self.tuner == KERAS_TUNER else {})


BY_OPTUNA = Drawing()


def choose(tuner: str, sampler: str | None, pruner: str | None) -> Drawing:
    """Return the requested drawing; what is None gets the tuner's default.

    Raises:
        WrongInput: the tuner has no such sampler or pruner.
    """
    for option, asked, known in (
        ("--sampler", sampler, SAMPLERS[tuner]),
        ("--pruner", pruner, PRUNERS[tuner]),
    ):
        if asked is None or asked in known:
            continue
        message = (
            f"{option} {asked} does not go with --tuner {tuner}: expected {' or '.join(known)}"
        )
        if option == "--pruner":
            message += (
                ".\nKerasTuner has no pruners: its Hyperband decides before a trial how many "
                "epochs it gets.\nNext: leave --pruner out, or try --sampler hyperband."
            )
        else:
            other = next(name for name in SAMPLERS if name != tuner)
            message += f".\nNext: give one of those, or --tuner {other}."
        raise WrongInput(message)
    return Drawing(tuner, sampler or SAMPLERS[tuner][0], pruner or PRUNERS[tuner][0])


def drawn_by(contract: dict[str, object]) -> str:
    """The name of the tuner and sampler of a study with this contract, for a person."""
    if contract.get("tuner", OPTUNA) == OPTUNA:
        return "Optuna"
    return f"KerasTuner's {contract['sampler']} oracle"
