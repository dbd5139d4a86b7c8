"""A font with Hangul, so that figures and pages do not depend on a machine's fonts."""

import base64
import io

from fontTools import subset
from fontTools.ttLib import TTFont

from search.figures.fonts import hangul_font


def embedded(text: str) -> str:
    """The font with only the characters of `text`, as WOFF in base64.

    Raises:
        ValueError: the font lacks a character of `text`.
    """
    # No creation time is written, so that the same text always gives the same font.
    font = TTFont(hangul_font(), recalcTimestamp=False)
    known = font.getBestCmap()
    missing = sorted({one for one in text if not one.isspace() and ord(one) not in known})
    if missing:
        raise ValueError(f"the font has no glyph for {missing}")
    options = subset.Options(flavor="woff", notdef_outline=True, recalc_timestamp=False)
    # Tables of the program that drew the font; the subsetter would warn about them.
    options.drop_tables += ["TSI0", "TSI1", "TSI2", "TSI3", "TSI5"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=text)
    subsetter.subset(font)
    font.flavor = "woff"
    buffer = io.BytesIO()
    font.save(buffer)
    return base64.b64encode(buffer.getvalue()).decode()
