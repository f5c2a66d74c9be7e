"""The states of the page of an account."""

from collections.abc import Mapping

from insitu.marketplace.cards import card_of
from insitu.marketplace.samples import OPEN, OWNER, STRICT, TOKEN, document, workflow
from insitu.marketplace.search import Offered

_CARDS = tuple(card_of(found, TOKEN) for found in (document(policy=STRICT), document(policy=OPEN), workflow()))
_SHOWN = tuple(card for card in _CARDS if card is not None)

STATES: Mapping[str, Mapping[str, object]] = {
    "offers": {"address": OWNER, "offered": Offered(_SHOWN, 1, 1)},
    "many": {"address": OWNER, "offered": Offered(_SHOWN, 2, 3)},
    "nothing": {"address": OWNER, "offered": Offered((), 1, 0)},
}
