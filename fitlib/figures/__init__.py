"""Live figures: widgets in a notebook, and the same figures on a page without a kernel."""

from fitlib.figures.answer import Answer
from fitlib.figures.base import slider
from fitlib.figures.controls import choice
from fitlib.figures.curves import Curves, panel
from fitlib.figures.descent import Descent, scheduled
from fitlib.figures.inside import Inside
from fitlib.figures.map import Map
from fitlib.figures.quiz import Quiz
from fitlib.figures.rounds import Rounds
from fitlib.figures.ruler import Ruler
from fitlib.figures.tape import Tape

__all__ = [
    "Answer",
    "Curves",
    "Descent",
    "Inside",
    "Map",
    "Quiz",
    "Rounds",
    "Ruler",
    "Tape",
    "choice",
    "panel",
    "scheduled",
    "slider",
]
