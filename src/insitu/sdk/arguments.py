"""Parameters of the SDK that would change nothing beside others, and are therefore refused (ADR 0108).

A parameter without a row in ``REFUSED`` may be given together with any other.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from insitu.domain.errors import InsituError


class Beside(NamedTuple):
    """If ``given`` is given, each of the ``useless`` parameters (names separated by spaces) would change nothing.

    With ``no`` before the name, the rule applies if that parameter is not given.
    """

    given: str
    useless: str
    because: str


RELAYED = Beside("relay", "offer", "what the gateway sends is granted in the same transaction")

REFUSED: Mapping[str, tuple[Beside, ...]] = {
    "connect": (
        Beside("signer", "account password", "the signer is the account"),
        Beside("settings", "home", "the settings name the data folder"),
    ),
    "Client.check": (Beside("published", "entrypoint", "a published algorithm already says how it starts"),),
    "Client.run": (RELAYED,),
    "Agreements.buy": (RELAYED,),
    "Assets.publish_dataset": (Beside("any", "publishers", "any algorithm may already run"),),
}
"""Call → its rules. A name that is not a parameter is a condition that the call itself finds out."""


def useless(rules: Iterable[Beside], given: Iterable[str]) -> tuple[str, str] | None:
    """Return the first given parameter that would change nothing, and why; None if they all have an effect."""
    present = frozenset(given)
    for rule in rules:
        holds = rule.given[3:] not in present if rule.given.startswith("no ") else rule.given in present
        for name in rule.useless.split() if holds else ():
            if name in present:
                return name, rule.because
    return None


def refuse(call: str, **given: object) -> None:
    """Refuse parameters without effect, before doing anything. Raises ``ArgumentWithoutEffect``."""
    names = (name for name, value in given.items() if value is not None and value is not False and value != ())
    found = useless(REFUSED[call], names)
    if found is not None:
        raise InsituError("ArgumentWithoutEffect", f"{found[0]} has no effect: {found[1]}", argument=found[0])
