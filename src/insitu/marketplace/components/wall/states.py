"""The states of the wall: rules from open to what lets nothing run."""

from collections.abc import Mapping

from insitu.domain.ddo import read_ddo
from insitu.marketplace.descriptions import Description
from insitu.marketplace.samples import OPEN, OWNER, SCIENTIST, STRICT, did, document
from insitu.marketplace.words.rules import Rules, rules_of


def _rules(**policy: object) -> Mapping[str, object]:
    offer = Description(read_ddo(document(policy=dict(policy)))).offer
    return {"rules": rules_of(offer) if offer is not None else Rules((), ()), "names": {}}


_ONE = {"did": did(2), "checksum": "ab" * 32}

STATES: Mapping[str, Mapping[str, object]] = {
    "open": _rules(**OPEN),
    "one publisher": _rules(**STRICT),
    "named algorithms": _rules(algorithms=[_ONE, {**_ONE, "did": did(3)}], data="pinned", parameters=["year", "month"]),
    "algorithms and publishers": _rules(algorithms=[_ONE], publishers=[OWNER, SCIENTIST], revisions="always"),
    "many publishers": _rules(publishers=[f"0x{number:040x}" for number in range(40)]),
    "named consumers": _rules(**{**OPEN, "consumers": [SCIENTIST], "use": "Research on delays. No persons."}),
    "no consumer": _rules(**{**OPEN, "consumers": []}),
    "no log and no file": _rules(**{**OPEN, "logs": "none", "output": {"types": []}}),
    "read by a person": _rules(**{**OPEN, "review": "manual"}),
    "a rule that is not known here": _rules(**{**OPEN, "moon": "full", "consumers": "approved"}),
    "no algorithm": _rules(algorithms=[]),
}
