"""What each parameter of the SDK changes, and beside which others it would change nothing and is refused (ADR 0108).

The table is complete: a test compares it with the signatures, and calls every method with every parameter.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from insitu.domain.errors import InsituError

__all__ = ["ANSWER", "CHANGES", "FILE", "REFUSED", "REQUEST", "WAITING", "Beside", "refuse", "useless"]

REQUEST, FILE, ANSWER, WAITING = "request", "file", "answer", "waiting"
"""Aspects of a call: what is sent or signed, what is written on this machine, what is returned, how long it takes."""


class Beside(NamedTuple):
    """Where ``given`` is given, each of the ``useless`` parameters (names with spaces between) would change nothing.

    With ``no`` before its name: where it is not given.
    """

    given: str
    useless: str
    because: str


_DESCRIBED = "author license description tags categories"

CHANGES: Mapping[str, Mapping[str, str]] = {
    "connect": {REQUEST: "url account password home signer settings"},
    "connect_async": {REQUEST: "url account password home signer settings"},
    "Stage": {REQUEST: "algorithm inputs container stage_type configuration server_id cpu gpu memory disk output"},
    "Previous": {REQUEST: "stage"},
    "Client.gateway_at": {REQUEST: "url"},
    "Client.run": {
        REQUEST: "algorithm on configuration entrypoint container server_id max_price relay offer",
    },
    "Client.check": {REQUEST: "algorithm on configuration entrypoint container server_id"},
    "Client.check_stages": {REQUEST: "stages service_index"},
    "Client.verify": {REQUEST: "on_chain", ANSWER: "receipt provider files"},
    "Client.release": {REQUEST: "receipt"},
    "Assets.register_asset": {
        REQUEST: "asset_metadata services_description publisher_public_key without_compute",
    },
    "Assets.publish_dataset": {
        REQUEST: "name files algorithms publishers price timeout containers servers output logs max_executions "
        + _DESCRIBED,
    },
    "Assets.publish_algorithm": {
        REQUEST: f"name files entrypoint container language version price {_DESCRIBED}",
    },
    "Assets.read_algorithm": {REQUEST: "name files entrypoint"},
    "Assets.describe_workflow": {REQUEST: "stages"},
    "Assets.publish_workflow": {REQUEST: f"name stages {_DESCRIBED}"},
    "Assets.resolve": {REQUEST: "did checksum"},
    "Assets.owner": {REQUEST: "did"},
    "Assets.status": {REQUEST: "did"},
    "Assets.search": {REQUEST: "text filters"},
    "Assets.update": {REQUEST: "did services files without_compute"},
    "Assets.retire": {REQUEST: "did"},
    "Assets.relist": {REQUEST: "did"},
    "Assets.transfer": {REQUEST: "did owner"},
    "Assets.download": {REQUEST: "did", FILE: "folder overwrite"},
    "Agreements.check": {REQUEST: "workflow_did service_index"},
    "Agreements.check_planned": {REQUEST: "described service_index"},
    "Agreements.require_agreeable": {ANSWER: "quote max_price"},
    "Agreements.buy": {REQUEST: "workflow_did service_index max_price seed relay offer", WAITING: "wait"},
    "Agreements.show": {REQUEST: "agreement"},
    "Agreements.terms": {REQUEST: "agreement"},
    "Agreements.wait_for_grant": {REQUEST: "agreement"},
    "Agreements.refund": {REQUEST: "agreement"},
    "Compute.execute": {REQUEST: "agreement idempotency_key"},
    "Compute.run_workflow": {REQUEST: "workflow_did service_index max_price relay offer"},
    "Compute.execution": {REQUEST: "agreement execution"},
    "Compute.executions": {REQUEST: "agreement"},
    "Execution.events": {REQUEST: "after"},
    "Execution.logs": {REQUEST: "follow after"},
    "Execution.wait": {WAITING: "seconds"},
    "Execution.download": {FILE: "folder overwrite"},
}
"""Call → aspect → the parameters that change it."""

_RELAYED = Beside("relay", "offer", "what the gateway sends is granted in the same transaction")

REFUSED: Mapping[str, tuple[Beside, ...]] = {
    "connect": (
        Beside("signer", "account password", "the signer is the account"),
        Beside("settings", "home", "the settings name the data folder"),
    ),
    "Client.check": (Beside("published", "entrypoint", "a published algorithm says itself how it starts"),),
    "Client.run": (_RELAYED,),
    "Agreements.buy": (_RELAYED,),
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
