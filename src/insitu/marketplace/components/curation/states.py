"""The states of the page of curators, before its element takes over."""

from collections.abc import Mapping
from typing import Any

from insitu.api.metadata_v1 import CuratedAsset, CuratedPage
from insitu.marketplace.cards import card_of
from insitu.marketplace.curation import CurationView, Decided
from insitu.marketplace.samples import MOMENT, OPEN, OWNER, SCIENTIST, TOKEN, did, document, status

_HOSTILE = "\u202e<b>spam</b> " + "x" * 480


def _asset(number: int, state: str, reason: str, **known: object) -> CuratedAsset:
    values = {"did": did(number), "state": state, "reason": reason, "curator": SCIENTIST, "at": MOMENT}
    return CuratedAsset.model_validate({**values, **known})


def _view(hidden: tuple[CuratedAsset, ...] = (), pages: int = 1, **known: Any) -> Mapping[str, object]:
    page = CuratedPage(
        curators=(OWNER, SCIENTIST), results=hidden, page=1, total_pages=pages, total_results=len(hidden) * pages
    )
    return {"curation": CurationView(**{"curators": page.curators, "featured": (), "hidden": page, **known})}


_FEATURED = (
    Decided(_asset(1, "listed", "Clean, and each column is described."), card_of(document(policy=OPEN), TOKEN)),
    Decided(_asset(2, "unlisted", "A good example of a workflow."), None),
)
_HIDDEN = (_asset(3, "hidden", "Names of patients."), _asset(4, "hidden", _HOSTILE, curator=None, at=None))

STATES: Mapping[str, Mapping[str, object]] = {
    "nobody curates": _view(curators=()),
    "nothing decided": _view(),
    "hidden and featured": _view(_HIDDEN, 2, featured=_FEATURED),
    "asked for a hidden one": _view(_HIDDEN, asked=status("hidden", 3, reason=_HOSTILE)),
    "asked for a featured one": _view(featured=_FEATURED, asked=status("listed", 1, featured="Clean.")),
    "asked for another": _view(asked=status()),
}
