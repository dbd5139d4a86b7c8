"""How a study draws its points: the names of tuners, samplers and pruners, which go together."""

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
# Pruners that the benchmark alone compares.
COMPARED_PRUNERS = ("quartile", "halving")


@dataclass(frozen=True)
class Drawing:
    """How a study draws its points: the library, its sampler (or oracle), and the pruner."""

    tuner: str = OPTUNA
    sampler: str = SAMPLERS[OPTUNA][0]
    pruner: str = PRUNERS[OPTUNA][0]

    @property
    def contract(self) -> dict[str, object]:
        """What of it must stay the same for a study.

        Optuna's samplers learn from trials that another has drawn, so theirs may change. An oracle
        has its own project directory, and Hyperband's trials have epochs of their own.
        """
        kept: dict[str, object] = {"tuner": self.tuner}
        return kept | ({"sampler": self.sampler} if self.tuner == KERAS_TUNER else {})


BY_OPTUNA = Drawing()


def choose(tuner: str, sampler: str | None, pruner: str | None) -> Drawing:
    """Return what was asked for, with the tuner's defaults for what was not.

    Raises:
        WrongInput: the tuner has no such sampler, or takes no such pruner.
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
    """Who draws the points of a study with that contract, as a person says it."""
    if contract.get("tuner", OPTUNA) == OPTUNA:
        return "Optuna"
    return f"KerasTuner's {contract['sampler']} oracle"
