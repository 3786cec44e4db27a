"""Cells that the page cannot run as a notebook does, `(chapter, id of the cell)` -> why."""

SLOW = {}  # longer than a minute in the page, which says so at the cell
ELSEWHERE = {}  # what they show depends on the machine
