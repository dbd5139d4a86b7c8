"""From bytes to text: finds the encoding by evidence."""

import codecs
import itertools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from data_pipeline.errors import DataError, Way
from data_pipeline.places import quoted

# The longer marks first: UTF-32 starts with the mark of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with BOM"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
# Encodings in which the column names are looked for.
_OTHERS: Final = ("cp1250", "cp1251", "cp1254", "cp932", "gb18030", "cp850", "mac_roman")
_EVIDENCE: Final = 400
# Signs in meter files that are not letters.
_LATIN_SIGNS: Final = frozenset("°²³µ€§·–—‘’“”×±½¼ºª\xa0")
_KOREAN_SIGNS: Final = frozenset("℃℉㎾㎿㎥㎡㎏°·…※→±×²³μΩ％〜～㎜㎐㏊△▲○●■□☆★")
_NUL_TAIL: Final = re.compile(r"\0[\0\s]*\Z")


@dataclass(frozen=True)
class Text:
    """Decoded text.

    Attributes:
        text: Without byte order mark.
        codec: Python's name of the encoding.
        name: The same for people.
        certain: False if only the letters tell it from another encoding.
        notes: What was done on the way, one sentence each.
    """

    text: str
    codec: str
    name: str
    certain: bool
    notes: tuple[str, ...] = ()


def decode(content: bytes, path: Path, told: str | None, names: Sequence[str]) -> Text:
    """Decodes a text file.

    A byte order mark, zeros between letters (UTF-16) or valid UTF-8 settle it. Otherwise the
    encoding is the one in which the column names are found, or cp949 or cp1252, whichever gives
    plausible words.

    Args:
        content: The file.
        path: Its name, for messages.
        told: `--encoding`.
        names: Column names that were asked for.

    Raises:
        DataError: If no encoding fits, or two do.
    """
    if told is not None:
        return _without_tail(_told(content, path, told), path)
    marked = [(codec, name) for mark, codec, name in _MARKS if content.startswith(mark)]
    for codec, name in marked[:1] or [*_unmarked_utf16(content), ("utf-8", "UTF-8")]:
        text = _decoded(content, codec)
        if text is not None and "\0" not in _NUL_TAIL.sub("", text):
            return _without_tail(Text(text, codec, name, True), path)
    if not marked and b"\0" not in content.rstrip(b"\0\r\n\t "):
        return _without_tail(_by_letters(content, path, names), path)
    raise DataError(
        f"{path}: expected a text file in UTF-8, UTF-16 or cp949, found no text. Save it as CSV "
        f"in UTF-8."
    )


def _told(content: bytes, path: Path, told: str) -> Text:
    codec = "utf-8-sig" if codecs.lookup(told).name == "utf-8" else told
    text = _decoded(content, codec)
    if text is None or "\0" in _NUL_TAIL.sub("", text):
        raise DataError(
            f"{path}: expected text in {told} (--encoding), found other bytes. Leave "
            f"--encoding out, or give another one."
        )
    return Text(text.removeprefix("\ufeff"), told, told, True)


def _decoded(content: bytes, codec: str) -> str | None:
    try:
        return content.decode(codec)
    except (UnicodeDecodeError, ValueError):
        return None


def _unmarked_utf16(content: bytes) -> list[tuple[str, str]]:
    head = content[:4096]
    if len(head) < 4:
        return []
    if not any(head[1::2]):
        return [("utf-16-le", "UTF-16")]
    return [("utf-16-be", "UTF-16")] if not any(head[::2]) else []


def _without_tail(found: Text, path: Path) -> Text:
    """Leaves out NULs at the end, and the incomplete row before them."""
    tail = _NUL_TAIL.search(found.text)
    if tail is None:
        return found
    text = found.text[: tail.start()]
    notes = [f"{found.text[tail.start() :].count(chr(0))} NUL bytes at the end left out"]
    if not text.strip():
        raise DataError(f"{path}: expected a CSV file with a header, found an empty file.")
    if text[-1] not in "\r\n":
        end = max(text.rfind("\n"), text.rfind("\r"))
        notes.append(f"the incomplete row before them left out: {quoted(text[end + 1 :])}")
        text = text[: end + 1]
    return Text(text, found.codec, found.name, found.certain, (*found.notes, *notes))


def _by_letters(content: bytes, path: Path, names: Sequence[str]) -> Text:
    runs = list(dict.fromkeys(match.group() for match in _words(content)))[:_EVIDENCE]
    foreign = [name for name in names if not name.isascii()]
    texts = {codec: _decoded(content, codec) for codec in ("cp949", "cp1252")}
    plausible = {
        codec: text is not None and _plausible(runs, codec) for codec, text in texts.items()
    }
    by_name = [
        codec
        for codec in ("cp949", "cp1252", *_OTHERS)
        if foreign and (text := _decoded(content, codec)) is not None and _holds(text, foreign)
    ]
    if len(by_name) == 1 or (by_name and not any(plausible.values())):
        codec = by_name[0]
        return Text(content.decode(codec), codec, codec, False)
    fits = [codec for codec, fit in plausible.items() if fit]
    if len(fits) == 1:
        return Text(content.decode(fits[0]), fits[0], fits[0], False)
    shown = _sample(runs)
    ways = [
        Way({"encoding": codec}, f"{quoted(_shown(shown, codec))}")
        for codec, text in texts.items()
        if text is not None and plausible[codec]
    ]
    raise DataError(
        f"{path}: expected a text file in UTF-8, UTF-16 or cp949, found letters that "
        f"{'fit two encodings' if ways else 'fit none of these, nor cp1252'}: {shown!r}. "
        + ("" if ways else "Give --encoding, or save it as CSV in UTF-8."),
        ways,
    )


def _words(content: bytes) -> "list[re.Match[bytes]]":
    """Each run of high bytes with the ASCII letters around it."""
    return list(re.finditer(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*", content[:4_000_000]))


def _plausible(words: Sequence[bytes], codec: str) -> bool:
    """True if every word looks like one that is written in this encoding."""
    try:
        decoded = [word.decode(codec) for word in words]
    except UnicodeDecodeError:
        return False
    fits = _korean if codec == "cp949" else _latin
    return all(map(fits, decoded))


def _korean(word: str) -> bool:
    foreign = [letter for letter in word if not letter.isascii()]
    hangul = [letter for letter in foreign if "가" <= letter <= "힣"]
    # In the 2,350 syllables of everyday Korean, the second byte is never an ASCII letter.
    rare = [letter for letter in hangul if min(letter.encode("cp949")[1:]) < 0xA1]
    signs = [letter for letter in foreign if letter in _KOREAN_SIGNS]
    return len(hangul) + len(signs) == len(foreign) and 2 * len(rare) < max(1, len(hangul))


def _latin(word: str) -> bool:
    foreign = [letter for letter in word if not letter.isascii()]
    letters = [letter for letter in foreign if unicodedata.category(letter) in ("Ll", "Lu")]
    signs = [letter for letter in foreign if letter in _LATIN_SIGNS]
    if len(letters) + len(signs) != len(foreign):
        return False
    # A capital begins a word or stands among capitals.
    capitals = sum(letter.isupper() for letter in word[1:])
    tidy = capitals == 0 or word.upper() == word.replace("ß", "SS")
    rows = re.findall(r"[^\x00-\x7f]{3,}", word)
    mixed = any(
        (one in _LATIN_SIGNS) != (other in _LATIN_SIGNS)
        for one, other in itertools.pairwise(word)
        if not one.isascii() and not other.isascii()
    )
    return tidy and not rows and not mixed and "ÿ" not in word and "þ" not in word.lower()


def _holds(text: str, names: Sequence[str]) -> bool:
    head = unicodedata.normalize("NFC", text[:100_000])
    return all(unicodedata.normalize("NFC", name.strip()) in head for name in names)


def _sample(words: Sequence[bytes]) -> bytes:
    return max(words[:50], key=len, default=b"")[:40]


def _shown(word: bytes, codec: str) -> str:
    return word.decode(codec, errors="replace")
