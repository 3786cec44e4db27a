"""Live figures: widgets in a notebook, and the same figures on a page without a kernel."""

from fitlib.figures.base import slider
from fitlib.figures.controls import choice
from fitlib.figures.curves import Curves, panel
from fitlib.figures.descent import Descent, scheduled
from fitlib.figures.quiz import Quiz

__all__ = ["Curves", "Descent", "Quiz", "choice", "panel", "scheduled", "slider"]
