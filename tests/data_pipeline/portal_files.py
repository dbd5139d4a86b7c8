"""How portals, loggers and spreadsheets of many countries write times: one true series each."""

# ruff: noqa: RUF001 - the letters are those of the languages

from collections.abc import Callable

import numpy as np
import pandas as pd

HOURS = 24 * 15
USAGE = np.round(50 - 20 * np.cos(np.arange(HOURS) / 24 * 2 * np.pi) + np.arange(HOURS) % 7, 2)
# Months with their names in the case that a date has.
MONTHS = {
    "Italian": "gen feb mar apr mag giu lug ago set ott nov dic",
    "Dutch": "jan feb mrt apr mei jun jul aug sep okt nov dec",
    "Polish": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października "
    "listopada grudnia",
    "Portuguese": "jan fev mar abr mai jun jul ago set out nov dez",
    "Swedish": "jan feb mar apr maj jun jul aug sep okt nov dec",
    "Turkish": "Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara",
    "Finnish": "tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta "
    "elokuuta syyskuuta lokakuuta marraskuuta joulukuuta",
    "Croatian": "siječnja veljače ožujka travnja svibnja lipnja srpnja kolovoza rujna listopada "
    "studenoga prosinca",
    "Czech": "ledna února března dubna května června července srpna září října listopadu prosince",
    "Hungarian": "január február március április május június július augusztus szeptember október "
    "november december",
    "Lithuanian": "sausio vasario kovo balandžio gegužės birželio liepos rugpjūčio rugsėjo spalio "
    "lapkričio gruodžio",
    "Estonian": "jaanuar veebruar märts aprill mai juuni juuli august september oktoober november "
    "detsember",
    "Romanian": "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie "
    "noiembrie decembrie",
    "Russian": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "Greek": "Ιαν Φεβ Μαρ Απρ Μαϊ Ιουν Ιουλ Αυγ Σεπ Οκτ Νοε Δεκ",
    "French": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "Danish": "januar februar marts april maj juni juli august september oktober november december",
    "Spanish": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre "
    "diciembre",
}
_SPANISH = ("lun", "mar", "mié", "jue", "vie", "sáb", "dom")
_FRENCH = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_JAPANESE = "月火水木金土日"
Writer = Callable[[pd.Timestamp], str]


def _half(time: pd.Timestamp, morning: str, evening: str) -> str:
    return morning if time.hour < 12 else evening


# Times from 2024-02-05 on, each way as one kind of file writes them.
FORMS: dict[str, Writer] = {
    "weekday in Spanish": lambda t: f"{_SPANISH[t.weekday()]} {t:%d/%m/%Y %H:%M}",
    "weekday in French": lambda t: f"{_FRENCH[t.weekday()]} {t.day} févr. {t:%Y %H:%M}",
    "weekday in Japanese": lambda t: (
        f"{t.year}年{t.month}月{t.day}日({_JAPANESE[t.weekday()]}) {t.hour}時"
    ),
    "Japanese minutes": lambda t: f"{t:%Y/%m/%d} {t.hour}時{t:%M}分",
    "Chinese hours": lambda t: f"{t.year}年{t:%m}月{t:%d}日 {t.hour}时",
    "Chinese halves": lambda t: f"{t:%Y/%m/%d} {_half(t, '上午', '下午')} {t.hour % 12 or 12}:00",
    "Greek halves": lambda t: f"{t:%d/%m/%Y} {t.hour % 12 or 12}:00 {_half(t, 'πμ', 'μμ')}",
    "Spanish halves": lambda t: f"{t:%d/%m/%Y} {t.hour % 12 or 12}:00 {_half(t, 'a. m.', 'p. m.')}",
    "Spanish words": lambda t: f"{t.day} de febrero de {t:%Y %H:%M}",
    "narrow blank": lambda t: f"{t:%b} {t.day}, {t:%Y}, {t.hour % 12 or 12}:00:00\u202f{t:%p}",
    "Finnish clock": lambda t: f"{t.day}.{t.month}.{t.year} klo {t.hour}.{t:%M}",
    "French clock": lambda t: f"{t:%d/%m/%Y} à {t:%H:%M}",
    "dash between": lambda t: f"{t:%d/%m/%Y} - {t:%H:%M}",
    "SAS": lambda t: f"{t:%d%b%Y:%H:%M:%S}".upper(),
    "EXIF": lambda t: f"{t:%Y:%m:%d %H:%M:%S}",
    "slashes": lambda t: f"{t:%Y/%m/%d/%H}",
    "apostrophe": lambda t: f"'{t:%Y-%m-%d %H:%M}",
    "brackets": lambda t: f"[{t:%Y-%m-%d %H:%M}]",
    "day of the year": lambda t: f"{t:%Y-%jT%H:%M}",
    "Buddhist era": lambda t: f"{t:%d/%m}/{t.year + 543} {t:%H:%M}",
    "Taiwan": lambda t: f"{t.year - 1911}/{t:%m/%d %H:%M}",
}
# The same, with what says that the clock is that of UTC.
IN_UTC: dict[str, Writer] = {
    "microseconds": lambda t: f"{int(t.timestamp()) * 10**6}",
    "nanoseconds": lambda t: f"{int(t.timestamp()) * 10**9}",
    "JavaScript": lambda t: f"{t:%a %b %d %Y %H:%M:%S} GMT+0000 (Coordinated Universal Time)",
    "Go": lambda t: f"{t:%Y-%m-%d %H:%M:%S} +0000 UTC",
    "Unix date": lambda t: f"{t:%a %b %d %H:%M:%S} UTC {t:%Y}",
    "one digit": lambda t: f"{t:%Y-%m-%d %H:%M} UTC+0",
}
# What no sign tells apart, with the format that is offered.
FORMATS = ("%d%m%Y%H%M", "%d%m%Y %H%M", "%y%m%d%H%M", "%Y_%m_%d_%H_%M")
