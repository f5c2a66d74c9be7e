"""The states of the home page."""

from collections.abc import Mapping
from dataclasses import replace

from insitu.marketplace.cards import card_of
from insitu.marketplace.samples import OPEN, STRICT, TOKEN, document
from insitu.marketplace.service import HomeView

_CARDS = tuple(card for policy in (STRICT, OPEN) if (card := card_of(document(policy=policy), TOKEN)) is not None)

STATES: Mapping[str, Mapping[str, object]] = {
    "nothing listed": {"home": HomeView((), 0)},
    "data sets": {"home": HomeView(_CARDS, 2)},
    "featured": {"home": HomeView(_CARDS, 2, (replace(_CARDS[0], featured="Clean, and each column is described."),))},
}
