"""The states of the page for errors."""

from collections.abc import Mapping

from insitu.api.errors import Problem
from insitu.domain.errors import InsituError


def _state(code: str, detail: str, asked_for: str) -> Mapping[str, object]:
    return {"problem": Problem.of(InsituError(code, detail), "0123456789abcdef"), "asked_for": asked_for}


STATES: Mapping[str, Mapping[str, object]] = {
    "no such page": _state("NotFound", "", "/nowhere"),
    "the catalogue is away": _state("PeerUnavailable", "the catalogue has not answered within 5 seconds", "/"),
    "a defect": _state("InternalError", "", "/search"),
}
