"""Beside which others a parameter of the SDK would change nothing and is refused (ADR 0108).

What has no row in ``REFUSED`` may be given beside everything else.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from insitu.domain.errors import InsituError

__all__ = ["REFUSED", "RELAYED", "Beside", "refuse", "useless"]


class Beside(NamedTuple):
    """Where ``given`` is given, each of the ``useless`` parameters (names with spaces between) would change nothing.

    With ``no`` before its name: where it is not given.
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
    "Client.check": (Beside("published", "entrypoint", "a published algorithm says itself how it starts"),),
    "Client.run": (RELAYED,),
    "Agreements.buy": (RELAYED,),
    "Assets.publish_dataset": (Beside("any", "publishers", "any algorithm may run already"),),
}
"""Call → what is refused beside what. A name that is no parameter is a state that the call finds out."""


def useless(rules: Iterable[Beside], given: Iterable[str]) -> tuple[str, str] | None:
    """Return the first parameter of the given ones that would change nothing, and why; None if all count."""
    present = frozenset(given)
    for rule in rules:
        holds = rule.given[3:] not in present if rule.given.startswith("no ") else rule.given in present
        for name in rule.useless.split() if holds else ():
            if name in present:
                return name, rule.because
    return None


def refuse(call: str, **given: object) -> None:
    """Refuse parameters without effect before anything is done. Raises ``ArgumentWithoutEffect``."""
    names = (name for name, value in given.items() if value is not None and value is not False and value != ())
    found = useless(REFUSED[call], names)
    if found is not None:
        raise InsituError("ArgumentWithoutEffect", f"{found[0]} would change nothing: {found[1]}", argument=found[0])
