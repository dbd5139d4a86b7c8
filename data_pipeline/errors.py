"""The only error of this room, and the options that solve it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Way:
    """One way to read a file that can be read in several ways, or cannot be read yet.

    Attributes:
        changes: Fields of `DataSource` and their new values.
        meaning: How the file is then understood, in a few words.
    """

    changes: Mapping[str, object]
    meaning: str = ""


class DataError(ValueError):
    """A fault of the data that ends the command.

    Attributes:
        message: What was expected, what was found and where.
        ways: Options that may help. The commands try each way before they print it.
    """

    def __init__(self, message: str, ways: Sequence[Way] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.ways = tuple(ways)

    def __str__(self) -> str:
        from data_pipeline.rules import option_text

        ways = [option_text(way.changes) + _meaning(way) for way in self.ways]
        return f"{self.message} Next: {'; or '.join(ways)}." if ways else self.message


def _meaning(way: Way) -> str:
    return f" ({way.meaning})" if way.meaning else ""
