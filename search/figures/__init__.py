"""The figures of a study: plain values in, a matplotlib `Figure` out. These modules only draw.

Empty input gives a figure that says so. The input must not contain NaN.
"""

from search.figures.canvas import png
from search.figures.importance import importance
from search.figures.outlook import outlook
from search.figures.parallel import parallel_coordinates
from search.figures.readings import readings
from search.figures.regularisation import Panel, Words, regularisation
from search.figures.study import optimization_history, train_against_validation
from search.figures.trial import loss_curves, residuals_by_hour
from search.figures.weeks import Week, one_week, weeks

__all__ = [
    "Panel",
    "Week",
    "Words",
    "importance",
    "loss_curves",
    "one_week",
    "optimization_history",
    "outlook",
    "parallel_coordinates",
    "png",
    "readings",
    "regularisation",
    "residuals_by_hour",
    "train_against_validation",
    "weeks",
]
