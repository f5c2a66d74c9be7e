"""The states of the page for errors."""

from collections.abc import Mapping

from insitu.api.errors import Problem
from insitu.domain.errors import InsituError


def _state(code: str, detail: str, asked_for: str) -> Mapping[str, object]:
    return {"problem": Problem.of(InsituError(code, detail), "0123456789abcdef"), "asked_for": asked_for}


STATES: Mapping[str, Mapping[str, object]] = {
    "no such page": _state("NotFound", "", "/nowhere"),
    "the catalogue is away": _state("PeerUnavailable", "the catalogue has not answered within 5 seconds", "/"),
    "no such asset": _state("AssetNotFound", f"did:nv:{'0' * 64} is not known here", f"/assets/did:nv:{'0' * 64}"),
    "a wrong method": _state("MethodNotAllowed", "", "/search"),
    "too long": _state("BodyTooLarge", "the body has more than 1048576 bytes", f"/{'long' * 100}"),
    "hostile": _state(
        "InvalidDid", "<script>alert(1)</script> is no DID\u202e", "/assets/<img src=x onerror=alert(1)>"
    ),
    "a defect": _state("InternalError", "", "/search"),
}
