"""The table that a run prints."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Row", "median", "show"]


@dataclass(frozen=True)
class Row:
    """One figure: what was measured, ours, the floor's or peer's name and figure, and the goal in words.

    ``reached`` is None where the goal is no comparison of the two.
    """

    what: str
    ours: str
    floor: str
    goal: str
    reached: bool | None = None


def median(samples: Sequence[float]) -> float:
    """The median, in milliseconds where the samples are."""
    return statistics.median(samples)


def show(rows: Sequence[Row]) -> str:
    """Return the table as text."""
    headings = ("", "ours", "floor or peer, same run", "goal", "")
    cells = [headings, *((row.what, row.ours, row.floor, row.goal, _mark(row)) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(headings))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def _mark(row: Row) -> str:
    return "" if row.reached is None else "reached" if row.reached else "MISSED"
