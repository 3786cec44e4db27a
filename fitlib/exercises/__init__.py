"""Exercises that say what is wrong: `check("momentum", my_momentum)`."""

from fitlib.exercises import downhill, rates, rules
from fitlib.exercises.core import check

__all__ = ["check", "downhill", "rates", "rules"]
