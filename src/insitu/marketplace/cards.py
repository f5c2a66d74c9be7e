"""An asset in a list: its name, what it is, what may run on it, what may leave, what it costs."""

from dataclasses import dataclass

from insitu.domain.asset_price import price_of
from insitu.domain.ddo import read_ddo
from insitu.domain.errors import InsituError
from insitu.domain.workflow import read_workflow
from insitu.marketplace.descriptions import Description
from insitu.marketplace.hostile import first_words
from insitu.marketplace.words.costs import costs_in_short
from insitu.marketplace.words.parts import amount, counted
from insitu.marketplace.words.rules import Fact, Gate, leaves_in_short, runs_in_short
from insitu.marketplace.words.states import State
from insitu.ports.chain import TokenInfo

LENGTH = 240
"""Characters of a description that a list shows."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a list shows of an asset. ``state`` is None where everything in the list is listed."""

    did: str
    name: str
    type: str
    kind: str
    state: State | None
    past: bool
    meta: tuple[str, ...]
    text: str
    author: str
    creator: str | None
    tags: tuple[str, ...]
    gate: Gate | None
    price: str
    featured: str = ""
    """Why a curator features it."""


def card_of(document: object, token: TokenInfo | None, state: State | None = None) -> Card | None:
    """Return the card of a document; None if that is not readable."""
    try:
        described = Description(read_ddo(document))
    except InsituError:
        return None
    if not described.did:
        return None
    past = state is not None and state.word.startswith("Retired")
    return Card(
        did=described.did,
        name=described.name,
        type=described.type,
        kind=described.kind,
        state=state,
        past=past,
        meta=tuple(part for part in (_contents(described), described.size, _published(described)) if part),
        text=first_words(described.text, LENGTH),
        author=described.author,
        creator=described.creator,
        tags=described.tags[:5],
        gate=gate_of(described, token, sold=not past),
        price=amount(price, token) if (price := price_of(described.ddo)) else "Free",
    )


def gate_of(described: Description, token: TokenInfo | None, *, sold: bool = True) -> Gate | None:
    """Return what may run, what may leave and what it costs; None if nothing can run on it."""
    service = described.offer
    if service is not None:
        costs = costs_in_short(service, token, sold=sold)
        run = runs_in_short(service) if sold else Fact("Nothing new", "it is retired")
        return Gate(run, leaves_in_short(service), costs)
    return None


def _contents(described: Description) -> str:
    if "workflow" not in described.ddo.main:
        return described.contents
    try:
        workflow = read_workflow(described.ddo)
    except InsituError:
        return ""
    return f"{counted(len(workflow.stages), 'stage')} on {counted(len(workflow.input_dids), 'data set')}"


def _published(described: Description) -> str:
    return f"{described.published:%-d %b %Y}" if described.published is not None else ""
