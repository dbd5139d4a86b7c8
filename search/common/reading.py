"""The options for reading a data file, and complete commands for a file that was refused."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

from data_pipeline.errors import DataError, Way
from data_pipeline.rules import ReadingRules, option_text, option_words
from search.common import commands

Command = TypeVar("Command", bound=Callable[..., Any])
# Limits: attempts to read a refused file, and commands that are shown.
_TRIES: Final = 24
_SHOWN: Final = 8
_DEEP: Final = 4
_SHORT: Final = 160

_OPTIONS: Final = (
    click.option(
        "--time", multiple=True, help="Time column; repeat for date, hour.  [default: Date]"
    ),
    click.option("--target", help="Column to forecast.  [default: Usage]"),
    click.option(
        "--features",
        callback=commands.names,
        help="Other input columns, with commas; '' for none.  [default: Temperature]",
    ),
    click.option(
        "--known-ahead",
        callback=commands.names,
        help="Features known for the hours that are forecast, such as a weather forecast.",
    ),
    click.option(
        "--holidays",
        help="Add the public holidays of a country, such as KR or DE-BY; '' for none.",
    ),
    click.option("--header", type=click.IntRange(min=0), help="Line of the names; 0 for none."),
    click.option(
        "--section",
        type=click.IntRange(min=1),
        help="Which of several tables below each other, from 1.",
    ),
    click.option("--where", multiple=True, help="Rows that are used, as COLUMN=VALUE."),
    click.option("--encoding", help="Text encoding, such as cp949."),
    click.option("--decimal", help="Decimal mark: . or ,"),
    click.option("--thousands", help="Mark between thousands: , . ' or blank."),
    click.option(
        "--missing", callback=commands.names, help="Cells without a value, such as '?,-9999'."
    ),
    click.option(
        "--date-format",
        help="How dates are written: %d.%m.%Y %H:%M, epoch, epoch-ms, epoch-us, epoch-ns, "
        "excel, excel-1904.",
    ),
    click.option(
        "--stamp",
        type=click.Choice(["begin", "middle", "end"]),
        help="Which moment of its period a row's time is.",
    ),
    click.option("--tz", help="Time zone of the file's clock, such as Europe/Berlin."),
    click.option(
        "--duplicates",
        type=click.Choice(["first", "last", "mean"]),
        help="Which of several rows with one time counts.",
    ),
    click.option(
        "--register/--no-register",
        "cumulative",
        default=None,
        help="The target is a running total, like a meter's register.",
    ),
    click.option(
        "--resample", type=click.Choice(["mean", "sum", "last"]), help="Make finer data hourly."
    ),
    click.option("--gaps", type=click.Choice(["error", "interpolate"]), help="Missing hours."),
    click.option(
        "--max-gap",
        type=click.IntRange(min=1),
        help="Longest gap, in hours, that is interpolated.  [default: 6]",
    ),
    click.option("--start", help="First day used, such as 2014-04-01."),
    click.option("--end", help="Last day used."),
)


def reading_options(command: Command) -> Command:
    """Adds the reading options to a command. Their names are fields of `DataSource`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def chosen(options: Mapping[str, Any]) -> dict[str, Any]:
    """The reading options that were given, by field of `DataSource`."""
    names = [name for name in (*ReadingRules.model_fields, "start", "end") if name in options]
    many = ("time", "where")
    return {
        name: options[name]
        for name in names
        if options[name] is not None and not (name in many and not options[name])
    }


def complete(module: str, changes: Mapping[str, object], *without: str) -> str:
    """The command that runs now, with some options changed.

    Args:
        module: The command's module, such as "search.run".
        changes: Fields of `DataSource` that replace the given ones.
        without: Names of options to leave out.
    """
    from search.common.stores import masked

    context = click.get_current_context()
    words: list[str] = []
    for parameter in context.command.params:
        name = str(parameter.name)
        source = context.get_parameter_source(name)
        given = source is click.core.ParameterSource.COMMANDLINE
        if not given or name in changes or name in without:
            continue
        value = context.params[name]
        if name in ("storage", "tracking_uri", "data"):
            words += [parameter.opts[0], masked(str(value))]
        elif parameter.multiple or name in ReadingRules.model_fields:
            words += option_words({name: value})
        elif isinstance(value, bool):
            words += [parameter.opts[0]] if value else []
        else:
            words += [parameter.opts[0], str(value)]
    return commands.module(module, *words, *option_words(changes))


def with_commands(
    error: DataError, source: Any, load: Callable[[Any], object], module: str
) -> DataError:
    """The same error, with a complete command for each way that reads the file.

    Every way is tried before it is printed. If a way leads to another question, its answers are
    tried, too. If a way does not help, the message names it with the reason.

    Args:
        error: The error, with the options that may help.
        source: The `DataSource` that was refused.
        load: Reads a `DataSource`. It returns, by name, other options that the command then needs.
        module: The command that was typed.
    """
    if not error.ways:
        return error
    search = _Search(load)
    for way in error.ways:
        search.follow(source, way, {}, _DEEP)
    lines = [error.message]
    if search.found:
        lines.append("Next:" if len(search.found) == 1 else "Next, one of these:")
        for changes, meaning in search.found[:_SHOWN]:
            told = f"  # {meaning}" if meaning else ""
            lines.append(f"  {complete(module, changes)}{told}")
    for changes, message in search.failed[:_SHOWN] if not search.found else search.failed[:2]:
        short = message if len(message) <= _SHORT else f"{message[: _SHORT - 3]}..."
        lines.append(f"With {option_text(changes)} it is refused: {short}")
    return DataError("\n".join(lines))


class _Search:
    """Follows ways until they read the file or fail."""

    def __init__(self, load: Callable[[Any], object]) -> None:
        self._load = load
        self._tries = 0
        self.found: list[tuple[dict[str, object], str]] = []
        self.failed: list[tuple[dict[str, object], str]] = []

    def follow(self, source: Any, way: Way, before: Mapping[str, object], deep: int) -> None:
        import pydantic

        changes = {**before, **way.changes}
        if self._tries >= _TRIES or len(self.found) >= _SHOWN:
            return
        self._tries += 1
        try:
            changed = source.change(**changes)
            found = self._load(changed)
        except pydantic.ValidationError:
            return
        except DataError as error:
            # A reading that fits only a part of the file does not count.
            further = [
                one
                for one in error.ways
                if not _undoes(one.changes, changes) and not {"start", "end"} & set(one.changes)
            ]
            if deep > 1 and further:
                for one in further:
                    self.follow(
                        source, Way(one.changes, way.meaning or one.meaning), changes, deep - 1
                    )
            else:
                message = error.message.removeprefix(f"{source.file}: ")
                self.failed.append((changes, message))
            return
        changes |= found if isinstance(found, dict) else {}
        if all(changes != other for other, _ in self.found):
            self.found.append((changes, way.meaning))


def _undoes(new: Mapping[str, object], old: Mapping[str, object]) -> bool:
    return any(name in old and old[name] != value for name, value in new.items())
