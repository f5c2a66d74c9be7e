"""The states of a card."""

from collections.abc import Mapping

from insitu.marketplace.cards import card_of
from insitu.marketplace.samples import OPEN, STRICT, TOKEN, document, result, status, workflow
from insitu.marketplace.words.states import UNLISTED, State, state_of


def _card(found: object, state: State | None = None) -> Mapping[str, object]:
    return {"card": card_of(found, TOKEN, state), "level": 2}


STATES: Mapping[str, Mapping[str, object]] = {
    "listed": _card(document(policy=STRICT)),
    "open": _card(document(policy=OPEN)),
    "unlisted": _card(document(policy=OPEN), UNLISTED),
    "pending": _card(document(policy=STRICT), state_of(status("pending", confirmed=2, confirmations=12), "data set")),
    "hidden": _card(document(policy=STRICT), state_of(status("hidden", reason="It has names."), "data set")),
    "paused": _card(document(policy=STRICT), state_of(status(), "data set", is_paused=True)),
    "retired": _card(document(policy=STRICT), state_of(status("retired"), "data set")),
    "an algorithm": _card(document("algorithm", 2, name="Count")),
    "a workflow": _card(workflow()),
    "a result": _card(result()),
    "without anything": _card({"id": document()["id"]}),
    "a long name": _card(document(policy=STRICT, name="Departures " * 40, author="office " * 40)),
}
