"""Live figures: widgets in a notebook, and the same figures on a page without a kernel."""

from fitlib.figures.base import slider
from fitlib.figures.descent import Descent, scheduled

__all__ = ["Descent", "scheduled", "slider"]
