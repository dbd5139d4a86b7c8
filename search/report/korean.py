"""Korean particles that fit the word before them."""

import re
from functools import partial

_HANGUL = range(0xAC00, 0xD7A4)
# Index among the 28 final consonants of a syllable; 0 means none.
_FINALS, _RIEUL = 28, 8
# How a digit is read: 영, 일, 이, 삼, 사, 오, 육, 칠, 팔, 구.
_DIGITS_WITH_FINAL = "013678"
_DIGITS_WITH_RIEUL = "178"
# Latin letters whose Korean reading ends in a final consonant.
_LETTERS_WITH_FINAL = "lmn"
# The forms of a particle: after a final consonant, and after a vowel.
_PARTICLES = {
    "은(는)": ("은", "는"),
    "이(가)": ("이", "가"),
    "을(를)": ("을", "를"),
    "과(와)": ("과", "와"),
    "(으)로": ("으로", "로"),
}
# Units are read in full: 메가와트, 킬로와트, 퍼센트.
_UNITS_WITHOUT_FINAL = ("W", "Wh", "%")
_MARKED = re.compile("|".join(re.escape(mark) for mark in _PARTICLES))


def with_particles(text: str) -> str:
    """`text` with the right form of each particle that is written with both, such as 은(는)."""
    return _MARKED.sub(partial(_choose, text), text)


def _choose(text: str, found: re.Match[str]) -> str:
    with_final, without = _PARTICLES[found.group()]
    final, rieul = _final_of(text[: found.start()])
    if found.group() == "(으)로" and rieul:
        return without
    return with_final if final else without


def _final_of(before: str) -> tuple[bool, bool]:
    """Whether the last word of `before` ends in a final consonant, and whether that is ㄹ."""
    # Text in brackets is not read with the word.
    bare = re.sub(r"\s*\([^()]*\)$", "", before).rstrip("\"')]` ")
    if not bare or bare.endswith(_UNITS_WITHOUT_FINAL):
        return False, False
    last = bare[-1]
    if ord(last) in _HANGUL:
        final = (ord(last) - _HANGUL.start) % _FINALS
        return final > 0, final == _RIEUL
    if last.isdigit():
        return last in _DIGITS_WITH_FINAL, last in _DIGITS_WITH_RIEUL
    return last.lower() in _LETTERS_WITH_FINAL, last.lower() == "l"
