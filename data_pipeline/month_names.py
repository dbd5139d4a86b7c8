"""Names of months and weekdays, as files in the languages of Europe and East Asia write them."""

# ruff: noqa: RUF001 - the letters are those of the languages

import re
from typing import Final

# The first letters that tell a month, by language: English, German, French, Spanish, Italian,
# Portuguese, Dutch; the north; Polish, Czech, Slovak, Croatian; Finnish, Estonian, Hungarian;
# Lithuanian, Latvian, Romanian, Turkish, Indonesian; Russian, Ukrainian; Greek.
_MONTHS: Final = (
    "jan ene gen led sij sty tammi jaan sau ian oca янв яну јан січ ιαν",
    "feb fév fev úno vel lut helmi vee vas şub фев лют φεβ",
    "mar mär mrz mrt maa bře ožu már kov μαρ μάρ мар бер",
    "apr avr abr dub tra kwi huhti ápr bal nis апр кві απρ",
    "may mai maj mag mei kvě svi máj touko geg maí мая май мај тра μαϊ μαΐ μάι",
    "jun juin giu jún červen červn čvn lipanj lipnj cze kesä juun bir jūn iun haz "
    "июн юни јун чер ιουν ιούν",
    "jul juil lug júl červenec červenc čvc srpanj srpnj lipi lipc heinä juul lie jūl iul tem "
    "июл юли јул лип ιουλ ιούλ",
    "aug avg aoû ago srpen srpna kol sie elo ágú rugpj ağu agu авг сер αυγ αύγ",
    "sep set zář ruj wrz syys sze rugs eyl сен сеп вер σεπ",
    "oct okt out ott říj paź loka spa eki окт жов οκτ",
    "nov listopadu stu marr lap noi kas nóv ноя ное лис νοε νοέ",
    "dec dez déc dic des pro gru joulu det dets ara дек гру δεκ",
)
MONTHS: Final = {word: at for at, words in enumerate(_MONTHS, 1) for word in words.split()}
# One month in one language and another month in another one: "lip" is June in Croatian and July in
# Polish, "listopad" October in Croatian and November in Polish.
_TWO_MONTHS: Final = frozenset({"lip", "lis", "listopad", "listopada", "srp", "čer"})
_LONGEST_FIRST: Final = sorted(MONTHS, key=len, reverse=True)
_WEEKDAY_WORDS: Final = (
    "mon tue wed thu fri sat sun mo di mi do fr sa so lun mar mer jeu ven sam dim mié mie jue vie "
    "sáb sab dom gio seg ter qua qui sex maa din woe don vri zat zon ma wo vr za zo mån tis ons "
    "tor fre lör sön man tir lør søn pon wto śro czw pią sob nie pn wt śr cz pt nd ti ke to pe la "
    "su po út st čt pá ne pzt sal çar per cum cmt paz пн вт ср чт пт сб вс нд"
)
_WEEKDAYS: Final = frozenset(_WEEKDAY_WORDS.split())
_FULL: Final = re.compile(
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|"
    r"sonnabend|(?:lun|mar|mercre|jeu|vendre|same)di|dimanche|lunes|martes|miércoles|jueves|viernes|"
    r"sábado|domingo|(?:lune|marte|mercole|giove|vener)dì|sabato|domenica|"
    r"(?:segunda|terça|quarta|quinta|sexta)(?:-feira)?|"
    r"(?:maan|dins|woens|donder|vrij|zater|zon)dag|(?:mån|tis|ons|tors|fre|lör|sön)dag|"
    r"(?:man|tirs|lør|søn)dag"
)


def month_of(word: str) -> int:
    """The number of a month by its name, in any case; 0 if no language, or two, name one so.

    Args:
        word: A name or the first letters of one.
    """
    plain = word.lower().strip(" .,")
    return next((MONTHS[start] for start in _LONGEST_FIRST if plain.startswith(start)), 0)


def is_two_months(word: str) -> bool:
    """True for a name that is one month in one language and another one in another language."""
    return word.lower().strip(" .,") in _TWO_MONTHS


def is_weekday(word: str) -> bool:
    """True for the name of a weekday, or its first letters, in any case."""
    plain = word.lower().strip(" .,")
    return plain in _WEEKDAYS or _FULL.fullmatch(plain) is not None
