"""Figures as SVG for a page. Letters are drawn as outlines, so readers need no font."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.figure import Figure

from search.figures.fonts import prepare_text


@contextmanager
def font_for(file: Path | None) -> Iterator[None]:
    """Draw with the font in `file`, and with matplotlib's own if that font lacks a letter."""
    if file is None:
        yield
        return
    font_manager.fontManager.addfont(file)
    name = font_manager.FontProperties(fname=file).get_name()
    with mpl.rc_context({"font.family": [name, "DejaVu Sans"], "axes.unicode_minus": False}):
        yield


def svg(figure: Figure) -> str:
    """The figure as one SVG element; the same figure always gives the same text."""
    prepare_text(figure)
    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "report"}):
        figure.savefig(buffer, format="svg", facecolor="white", metadata={"Date": None})
    drawn = buffer.getvalue()
    return drawn[drawn.index("<svg") :]
