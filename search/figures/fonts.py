"""A font with Hangul for every figure, whatever the machine has."""

import functools
import importlib.util
import warnings
from pathlib import Path

from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.text import Text


def hangul_font() -> Path:
    """The file of NanumGothic, packaged by koreanize-matplotlib.

    The package is not imported: that would change the settings of matplotlib for everybody.
    """
    spec = importlib.util.find_spec("koreanize_matplotlib")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("koreanize_matplotlib, which packages the font, is not installed")
    return Path(spec.origin).parent / "fonts" / "NanumGothic.ttf"


def prepare_text(figure: Figure) -> None:
    """Let names from a person's file be drawn as they are written."""
    for text in figure.findobj(Text):
        if not isinstance(text, Text):
            continue
        text.set_parse_math(False)  # a "$" in a unit or a title is a dollar, not a formula
        families = text.get_fontfamily()
        if not text.get_text().isascii() and _fallback() not in families:
            text.set_fontfamily([*families, _fallback()])


@functools.cache
def _fallback() -> str:
    file = hangul_font()
    font_manager.fontManager.addfont(file)
    # A letter that this font lacks, too, is drawn as a box; the warning helps nobody.
    warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
    return font_manager.FontProperties(fname=file).get_name()
