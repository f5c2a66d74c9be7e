"""Where an asset stands, in a word and in a sentence."""

from dataclasses import dataclass
from typing import Literal

from insitu.api.metadata_v1 import AssetStatus
from insitu.marketplace.words.parts import Named, Quoted, Sentence, Strong, counted

Sign = Literal["ok", "go", "no", "wait", "off"]


@dataclass(frozen=True, slots=True)
class State:
    """A sign, a word, and what follows from it: sentences that are empty if nothing does."""

    sign: Sign
    word: str
    notes: tuple[Sentence, ...] = ()


LISTED = State("ok", "Listed")
PAUSED = State(
    "no",
    "Paused",
    (
        (
            Strong("Its owner has paused it."),
            " Nothing new runs on it for now, and a purchase is refused as ",
            Quoted("AssetRetired"),
            ".",
        ),
        ("What is bought stays bought; a price that nothing was charged for goes back. Come back, or ask the owner.",),
    ),
)
UNLISTED = State("off", "Unlisted", (("Only a search for its owner finds it. It can be used by its DID.",),))


def state_of(status: AssetStatus, what: str, successor: str | None = None, *, is_paused: bool = False) -> State:
    """Return the state of an asset that is a ``what``: a data set, an algorithm."""
    if status.state == "pending":
        seen = status.confirmed
        word = "Pending" if seen is None else f"Pending, {seen} of {counted(status.confirmations or 0, 'confirmation')}"
        waiting: Sentence = (
            Strong("Waiting for the chain."),
            " The document is kept. It is listed when its block is confirmed, usually within a minute.",
        )
        return State("wait", word, (waiting, ("If it never appears on chain, it is dropped and nothing is charged.",)))
    if status.state == "hidden":
        hidden: Sentence = (Strong("A curator of this marketplace hides it"), " for this reason: ")
        notes = ((*hidden, Quoted(status.reason)), ("No search finds it. It can still be used by its DID.",))
        return State("no", "Hidden", notes)
    if status.state == "retired":
        return State("off", f"Retired on {status.updated_at:%-d %b %Y}", _retired(what, successor))
    if status.state == "listed" and status.featured:
        why: Sentence = (Strong("A curator of this marketplace features it"), " for this reason: ")
        return State("ok", "Listed", ((*why, Quoted(status.featured)),))
    if is_paused:
        return PAUSED
    return UNLISTED if status.state == "unlisted" else LISTED


def _retired(what: str, successor: str | None) -> tuple[Sentence, ...]:
    no_longer: Sentence = (
        Strong(f"This {what} is no longer sold."),
        " The owner retired it. A new purchase is refused as ",
        Quoted("AssetRetired"),
        ". Receipts of what was bought before stay valid.",
    )
    return (no_longer, ("The owner names a successor: ", Named(successor), ".")) if successor else (no_longer,)
