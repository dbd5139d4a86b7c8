"""Options that several comparisons take; quick to import."""

import click

# Seconds that a trial of a replayed search costs beside its epochs.
OVERHEAD = 2.0


def minutes(_context: click.Context, _option: click.Parameter, value: str) -> tuple[float, ...]:
    """Read minutes with commas; a callback of click's."""
    try:
        found = tuple(float(part) for part in value.split(","))
    except ValueError as error:
        raise click.BadParameter(f"expected minutes with commas, found {value!r}") from error
    if not all(0 < one < float("inf") for one in found):
        raise click.BadParameter(f"expected minutes above 0, found {value!r}")
    return found
