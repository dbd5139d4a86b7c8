"""Columns that say of each row whether its value was measured, estimated or is missing."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.errors import DataError, Way
from data_pipeline.source import DataSource
from data_pipeline.words import Words

_NAME: Final = re.compile(
    r"(?<![a-z])(?:status|state|quality|qual|flags?|valid(?:ity)?|valid(?:ated|ation)|kennung|"
    r"qualität|gültig(?:keit)?|read(?:ing)?_?type|type|method|"
    r"code|estimated|estimation|is_?valid|statut|qualité|estado|calidad)(?![a-z])|"
    r"상태|품질|구분|유효|ステータス|品質|状態",
    re.IGNORECASE,
)
_NOTE: Final = re.compile(r"note|remark|comment|bemerkung|anmerkung|비고|備考", re.IGNORECASE)
_ABSENT: Final = (
    r"missing|no[ _-]?(?:data|values?|readings?|comms?|communication|signal)|nodata|invalid|"
    r"not[ _-](?:valid|available|recorded|received|read|measured)|unavailable|absent|"
    r"fehlt|fehlend|fehlwert|ungültig|gestört|ausfall|manquante?s?|invalide|falta|inválido|"
    r"결측|누락|무효|오류|통신불량|欠測|無効"
)
# Words that say so only in a column that is called by the quality, or alone in a cell.
_BAD: Final = r"bad|faulty?|fail(?:ed|ure)?|errors?|fehler|outage|offline|null|lost|defekt"
_WORD: Final = r"(?<![^\W\d_])(?:{})(?![^\W\d_])"
_IN_ANY: Final = re.compile(_WORD.format(_ABSENT), re.IGNORECASE)
_IN_NAMED: Final = re.compile(_WORD.format(f"{_ABSENT}|{_BAD}"), re.IGNORECASE)
_NOT: Final = re.compile(
    r"(?<![^\W\d_])(?:no|not|without|keine?|ohne|sans|0)[ _-](?:missing|invalid|errors?|fault|"
    r"fehler|fehlend|ausfall)|(?:error|fault)[ -]?free",
    re.IGNORECASE,
)
_ESTIMATED: Final = re.compile(
    r"estim|geschätzt|schätz|ersatzwert|substitut|interpol|imputed|provisional|추정|추산|推定",
    re.IGNORECASE,
)
_YES: Final = frozenset({"true", "yes", "y", "1", "ja", "wahr", "oui", "예"})
_NO: Final = frozenset({"false", "no", "n", "0", "nein", "falsch", "non", "아니오"})
_VALID: Final = re.compile(
    r"(?:is[ _]?)?(?:valid(?:ated)?|gültig|유효)(?:ity|keit)?", re.IGNORECASE
)
# A mark of a few rows beside one odd value may mean that there is none.
_SHORT: Final = 3
_RARE: Final = 0.2
_USUAL: Final = 10


@dataclass(frozen=True, eq=False)
class Quality:
    """The target without the values of rows that are marked as missing, and what was found."""

    usage: NDArray[np.float64]
    notes: tuple[str, ...]
    found: tuple[str, ...]
    warnings: tuple[str, ...]


def read_quality(
    usage: NDArray[np.float64],
    columns: Sequence[Words],
    lines: NDArray[np.int64],
    source: DataSource,
) -> Quality:
    """Leaves out the target's values of rows that a column marks as missing.

    Rows that are marked as estimated are kept. With `--missing ''` all values are kept.

    Args:
        usage: float64 (n,), NaN if a cell is empty.
        columns: Of words, beside the numbers.
        lines: int64 (n,), file lines.
        source: `--missing`, `--where`, and the names.

    Raises:
        DataError: If a mark that is not known stands beside one odd value only.
    """
    notes, found, warnings = [], [], []
    kept = usage
    for column in columns:
        if _of_a_feature(column, source):
            continue
        absent = [kind for kind in column.kinds if _is_absent(kind, column)]
        at = column.rows(*absent)
        said = f"column {column.name!r} says {' or '.join(map(places.quoted, absent))}"
        if absent and not at.all():
            where = f"{int(at.sum())} rows ({places.lines(lines[at])})"
            if source.missing == ():
                warnings.append(f"{said} in {where}: their values are kept")
            else:
                kept = np.where(at, np.nan, kept)
                notes.append(f"{said} in {where}: no value there")
        guessed = [kind for kind in column.kinds if _is_estimated(kind, column)]
        if guessed:
            at = column.rows(*guessed)
            found.append(
                f"column {column.name!r}: {int(at.sum())} rows are marked "
                f"{' or '.join(map(places.quoted, guessed))}; their values are kept"
            )
        elif not absent and source.missing is None:
            _need_meaning(usage, column, lines, source)
    return Quality(kept, tuple(notes), tuple(found), tuple(warnings))


def is_quality(name: str) -> bool:
    """True for the name of a column that tells the quality of values."""
    return _NAME.search(name) is not None


def _of_a_feature(column: Words, source: DataSource) -> bool:
    """True if the column is called by a feature and not by the target."""
    name = column.name.lower()
    return source.target.lower() not in name and any(one.lower() in name for one in source.features)


def _is_absent(kind: str, column: Words) -> bool:
    """True if a cell of this column says that there is no value."""
    if _ESTIMATED.search(kind) or _NOT.search(kind):
        return False
    if _VALID.fullmatch(column.name):
        return kind.lower() in _NO or _IN_NAMED.search(kind) is not None
    if _IN_ANY.search(column.name) and not _NOT.search(column.name):
        return kind.lower() in _YES
    if _NOTE.search(column.name):
        return _IN_ANY.search(kind) is not None
    if is_quality(column.name):
        return _IN_NAMED.search(kind) is not None
    return _IN_NAMED.fullmatch(kind) is not None


def _is_estimated(kind: str, column: Words) -> bool:
    """True if a cell of this column says that its value is an estimate."""
    if _ESTIMATED.search(column.name) and not _NOT.search(column.name):
        return kind.lower() in _YES or _ESTIMATED.search(kind) is not None
    return _ESTIMATED.search(kind) is not None


def _need_meaning(
    usage: NDArray[np.float64], column: Words, lines: NDArray[np.int64], source: DataSource
) -> None:
    """Refuses a short mark such as "F" that stands beside one odd value, and only there."""
    asked = {one.split("=", 1)[0] for one in source.where}
    if not is_quality(column.name) or column.name in asked or len(column.kinds) < 2:
        return
    for kind, value, at in _beside_one_value(usage, column):
        others = [one for one in column.kinds if one != kind]
        raise DataError(
            f"{source.file}: column {column.name!r} is {places.quoted(kind)} in {int(at.sum())} "
            f"rows ({places.lines(lines[at])}), and {source.target!r} is {value:.10g} in these and "
            f"in no others. It may mean that there is no value.",
            [
                Way(
                    {"where": (*source.where, *(f"{column.name}={one}" for one in others))},
                    f"rows with {places.quoted(kind)} have no value",
                ),
                Way({"missing": ()}, "they are values"),
            ],
        )


def _beside_one_value(
    usage: NDArray[np.float64], column: Words
) -> Iterator[tuple[str, float, NDArray[np.bool_]]]:
    """Rare short marks whose rows all hold one value that no other row holds."""
    for kind in column.kinds:
        if not 1 <= len(kind) <= _SHORT:
            continue
        at = column.rows(kind)
        values = np.unique(usage[at])
        if at.mean() > _RARE or len(values) != 1 or not values[0] <= 0 or at.sum() < 2:
            continue
        rest = usage[~at]
        if len(np.unique(rest[~np.isnan(rest)])) >= _USUAL and not (rest == values[0]).any():
            yield kind, float(values[0]), at
