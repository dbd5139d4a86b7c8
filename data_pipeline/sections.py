"""Tables that stand below each other in one file: which there are, and the one that is read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from data_pipeline.body import TIME_IN_IT, Header, plain_name, records
from data_pipeline.errors import DataError, Way
from data_pipeline.places import quoted

# So many lines that hold a name are looked at, and so many tables are listed.
_LINES: Final = 2000
_LISTED: Final = 6
SUMS: Final = re.compile(
    r"^(?:sub-?|grand )?(?:totals?|sums?|summe|zwischensumme|gesamt|average|mean|"
    r"mittel(?:wert)?|totale?|totaal|totaux|somme|somma|suma|soma|moyenne|media|média|razem|łącznie|"
    r"celkem|spolu|súčet|ukupno|skupaj|összesen|yhteensä|summa|i alt|kokku|viso|kopā|toplam|jumlah|"
    r"итого|всего|усього|общо|σύνολο)\b|^(?:합계|소계|총계|평균|合計|小計|総計|合计|小计|总计|平均)",
    re.IGNORECASE,
)
_PAGE: Final = re.compile(r"(?:page|seite|blatt|página|페이지|쪽|ページ)\b|페이지", re.IGNORECASE)


@dataclass(frozen=True)
class Section:
    """One of several tables.

    Attributes:
        header: Its names and where they are, as in the whole text.
        begin: Where the table begins, with its title, in characters of the text.
        title: The line above the names, "" if it is none.
    """

    header: Header
    begin: int
    title: str


def choose_section(
    text: str, header: Header, times: Sequence[str], told: int | None, path: Path
) -> tuple[str, Header, tuple[str, ...]]:
    """Cuts out the table that is read, if there are several.

    Another table begins where the name of the time column comes again, with other names beside it
    or below a title. Equal names without a title are those of another page.

    Args:
        text: The file.
        header: The names of the first table that holds those asked for.
        times: Names of the time columns.
        told: `--section`.
        path: Of the file, for messages.

    Returns:
        The rows of the table, its header, and a note if there are others.

    Raises:
        DataError: If there are several and `--section` names none of them.
    """
    key = next((name for name in times if name in header.names), "")
    body = text[header.end :]
    if told is None and (not key or key not in body):
        return body, header, ()
    found = [Section(header, 0, ""), *_below(text, header, key, told is not None)]
    if told is None and len(found) > 1:
        raise several(found, path)
    if told is None:
        return body, header, ()
    if told > len(found):
        raise DataError(
            f"{path}: --section {told}: found {len(found)} table(s) that begin in "
            f"{', '.join(f'line {one.header.line}' for one in found)}."
        )
    own = found[told - 1].header
    stop = found[told].begin if told < len(found) else len(text)
    note = f"table {told} of {len(found)} below each other, with its names in line {own.line}"
    return text[own.end : stop], own, (note,) if len(found) > 1 else ()


def several(found: Sequence[Section], path: Path) -> DataError:
    """Says which tables there are."""
    said = [
        f"line {one.header.line}{f' below {quoted(one.title)}' if one.title else ''}: "
        f"{', '.join(quoted(name) for name in one.header.names[:_LISTED] if name)}"
        for one in found
    ]
    more = f" and {len(said) - _LISTED} more" if len(said) > _LISTED else ""
    return DataError(
        f"{path}: expected one table, found {len(found)} below each other, with names in "
        f"{'; '.join(said[:_LISTED])}{more}.",
        [
            Way({"section": at}, f"the table of line {one.header.line}")
            for at, one in enumerate(found[:_LISTED], 1)
        ],
    )


def sections_of(text: str, header: Header) -> list[Section]:
    """All tables of a file, also those whose time column has another name."""
    return [Section(header, 0, ""), *_below(text, header, "", True)]


def _below(text: str, header: Header, key: str, thorough: bool) -> list[Section]:
    """The tables below the first one.

    Args:
        text: The file.
        header: Of the first table.
        key: Name of its time column.
        thorough: Look for any line of names, not only for this one.
    """
    named = rf".*{re.escape(key)}.*" if key else "(?!)"
    pattern = rf"(?m)^(?:[^0-9\r\n]+|{named})\r?$" if thorough else rf"(?m)^{named}$"
    found: list[Section] = []
    names, title, line, counted = header.names, "", header.line, header.end
    for at, match in enumerate(re.finditer(pattern, text[header.end :])):
        if at == _LINES:
            break
        begin, end = header.end + match.start(), header.end + match.end()
        own = _names(match.group(), header.separator)
        if own is None or not (thorough or key in own) or not _data_follows(text, end, header):
            continue
        title, place = _title(text, header.end, begin)
        if own == _filled(names) and (not title or _PAGE.search(title)):
            # The same table goes on.
            continue
        line += text.count("\n", counted, begin)
        counted = begin
        stop = text.find("\n", end)
        header_here = Header(header.separator, line + 1, len(text) if stop < 0 else stop + 1, own)
        found.append(Section(header_here, place, title))
        names = own
    return found


def _filled(names: Sequence[str]) -> tuple[str, ...]:
    """The names without empty ones at the end."""
    kept = list(names)
    while kept and not kept[-1]:
        kept.pop()
    return tuple(kept)


def _names(line: str, separator: str) -> tuple[str, ...] | None:
    """The cells of a line that may be names; None if it holds fewer than two, or a number."""
    cells = next(iter(records([line], separator)), (0, 0, [line]))[2]
    names = _filled([plain_name(cell).lstrip("# ") for cell in cells])
    if sum(1 for name in names if name) < 2 or any(_is_value(name) for name in names):
        return None
    return names


def _is_value(name: str) -> bool:
    return bool(re.fullmatch(r"[-+]?[\d.,' ]*\d", name)) or bool(TIME_IN_IT.search(name))


def _data_follows(text: str, end: int, header: Header) -> bool:
    """True if one of the next lines holds a number."""
    return any(re.search(r"\d", line) for line in text[end : end + 400].splitlines()[1:4])


def _title(text: str, least: int, begin: int) -> tuple[str, int]:
    """The title above a line of names, and where it begins; "" and the line itself if none."""
    above = text[max(least, begin - 400) : begin].rstrip()
    start = max(above.rfind("\n"), above.rfind("\r")) + 1
    line = above[start:].strip(" \t,;|")
    if not line or TIME_IN_IT.search(line) or line.startswith("#") or SUMS.search(line):
        return "", begin
    if re.search(r"\d[.,;\t|]", line):
        return "", begin
    return line, max(least, begin - 400) + start
