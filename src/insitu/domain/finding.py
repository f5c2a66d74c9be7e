"""What the doctor finds: one part of a machine, a cluster or a deployment, how it is, and how to fix it."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "failed", "skipped"]
"""``warning``: it works, but somebody should know. ``skipped``: it could not be examined, and the detail says why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's answer; ``remedy`` is what a person can do, empty if nothing is wrong."""

    part: str
    state: State
    detail: str
    remedy: str = ""
