"""A font with Hangul, so that figures and pages do not depend on a machine's fonts."""

import base64
import importlib.util
import io
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont


def hangul_font() -> Path:
    """The file of NanumGothic from the package koreanize-matplotlib.

    The package is not imported, because its import changes matplotlib's global settings.
    """
    spec = importlib.util.find_spec("koreanize_matplotlib")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("koreanize_matplotlib, which packages the font, is not installed")
    return Path(spec.origin).parent / "fonts" / "NanumGothic.ttf"


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
