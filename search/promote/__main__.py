"""`python -m search.promote`: re-test the finalists, open the test period, pass the gate, register.

Exit codes: 0 promoted (or shown, or rolled back), 1 refused or failed, 2 wrong input, 130 or 143
interrupted.
"""

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from search.common import commands
from search.common.errors import (
    DONE,
    REFUSED_OR_FAILED,
    Refused,
    WrongInput,
)

if TYPE_CHECKING:
    from search.common.stores import Stores

_positive = click.IntRange(min=1)


@click.command(context_settings={"max_content_width": 100})
@click.option("--study", help="Study whose best trial to promote.")
@click.option("--name", help="Name of the registered model.  [default: experiment, with file]")
@click.option("--top", type=_positive, default=5, show_default=True, help="Number of finalists.")
@click.option("--seeds", type=_positive, default=3, show_default=True, help="Number of new seeds.")
@click.option(
    "--folds", type=_positive, default=3, show_default=True, help="Number of rolling origins."
)
@click.option(
    "--blend/--no-blend",
    default=True,
    show_default=True,
    help="Blend the network with the best baseline, if the re-test says it is better so.",
)
@click.option(
    "--force", is_flag=True, help="Promote although the gate refuses; your name is recorded."
)
@click.option(
    "--serve-best",
    is_flag=True,
    help="If the gate refuses the network, put the best baseline into service.",
)
@click.option("--rollback", is_flag=True, help="Put the previous version back into service.")
@click.option("--history", "show_history", is_flag=True, help="Show what happened to the model.")
@click.option("--dry-run", is_flag=True, help="Show the plan; train and change nothing.")
@click.option(
    "--workers", type=_positive, help="Trainings at the same time.  [default: one per GPU or core]"
)
@click.option("--cluster", help="Train on a Ray cluster: auto, or HOST:PORT of its head.")
@click.option("--storage", help="URL of the study database.  [default: mlruns/optuna.db]")
@click.option("--tracking-uri", help="MLflow store.  [default: mlruns/mlflow.db]")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def main(**options: Any) -> None:
    """Train a study's best trials again; promote the winner if it beats the best baseline."""
    sys.exit(commands.exit_code(lambda: _promote(options), commands.CONTINUES))


def _promote(options: dict[str, Any]) -> int:
    from search.common.stores import check_name, choose_stores

    stores = choose_stores(options["storage"], options["tracking_uri"])
    if options["name"] is not None:
        check_name("--name", options["name"])
    if options["rollback"] and options["show_history"]:
        raise WrongInput("--rollback and --history are two things: give one of them")
    if options["rollback"] or options["show_history"]:
        if options["force"] or options["serve_best"]:
            raise WrongInput(
                "--force and --serve-best are for a promotion: leave them out with --rollback and "
                "--history"
            )
        return _look_back(stores, options)
    if options["force"] and options["serve_best"]:
        raise WrongInput(
            "--force promotes the network against the gate, --serve-best the baseline where the "
            "gate refuses the network: give one of them"
        )
    if options["study"] is None:
        raise WrongInput("--study NAME is needed: the study whose best trials are promoted")
    check_name("--study", options["study"])
    if options["cluster"]:
        commands.need_ray()

    from search.promote.promotion import Wish, promote
    from search.promote.retest import Stopped

    wish = Wish(
        study=options["study"],
        name=options["name"],
        top=options["top"],
        seeds=options["seeds"],
        folds=options["folds"],
        workers=options["workers"],
        force=options["force"],
        serve_best=options["serve_best"],
        dry_run=options["dry_run"],
        quiet=options["quiet"],
        cluster=options["cluster"] or "",
        blend=options["blend"],
    )
    try:
        outcome = promote(wish, stores, lambda line: click.echo(line, err=True))
    except Stopped as error:
        return commands.ended_early(str(error), error.signum)
    if options["as_json"]:
        click.echo(json.dumps(outcome.facts, indent=2))
    else:
        click.echo("\n".join(outcome.lines))
    return DONE if outcome.done else REFUSED_OR_FAILED


def _look_back(stores: "Stores", options: dict[str, Any]) -> int:
    from search.serving.registry import Registry, need_store, the_model

    need_store(stores)
    registry = Registry(stores, options["name"] or the_model(stores))
    if options["rollback"] and not options["dry_run"]:
        with registry.held():
            for line in registry.mend():
                click.echo(line, err=True)
            version = registry.roll_back()
        click.echo(f"Version {version} of model {registry.name} is in service again.", err=True)
    events = registry.history()
    if not events:
        raise Refused(f"nothing has happened to a model {registry.name!r} in this store")
    if options["as_json"]:
        click.echo(json.dumps([vars(event) for event in events], indent=2))
        return DONE
    for event in events:
        about = event.details
        forced = ", by force" if about.get("objections") else ""
        study = f", study {about['study']}" if "study" in about else ""
        rmse = f", test RMSE {about['rmse']:.4g} {about['unit']}" if "rmse" in about else ""
        click.echo(
            f"{event.number:>3}  {event.time}  {event.action} version {event.version} by "
            f"{event.by}{study}{rmse}{forced}"
        )
    click.echo(f"In service: version {registry.champion()} of model {registry.name}")
    return DONE


if __name__ == "__main__":
    main()
