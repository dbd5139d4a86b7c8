"""Options that several comparisons take; quick to import."""

import click

# Seconds that a trial of a replayed search costs beside its epochs.
OVERHEAD = 2.0


# Options that are not of the race but of this comparison alone.
OF_TUNERS = ("seeds", "minutes")
OF_FLOOR = ("periods", "horizons", "trials", "epochs", "retest")


def numbers(_context: click.Context, option: click.Parameter, value: str) -> tuple[int, ...]:
    """Read whole numbers above 0 with commas; a callback of click's."""
    parts = value.split(",")
    if not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise click.BadParameter(f"expected whole numbers above 0 with commas, found {value!r}")
    found = tuple(int(part) for part in parts)
    if option.name == "retest" and len(found) != 3:
        raise click.BadParameter(f"expected finalists,seeds,folds, found {value!r}")
    return found


def minutes(_context: click.Context, _option: click.Parameter, value: str) -> tuple[float, ...]:
    """Read minutes with commas; a callback of click's."""
    try:
        found = tuple(float(part) for part in value.split(","))
    except ValueError as error:
        raise click.BadParameter(f"expected minutes with commas, found {value!r}") from error
    if not all(0 < one < float("inf") for one in found):
        raise click.BadParameter(f"expected minutes above 0, found {value!r}")
    return found
