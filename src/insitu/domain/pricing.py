"""What a workflow costs and who is paid: one agreement for the whole workflow (C1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from insitu.domain.compute_service import Server
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.money import MAX_AMOUNT

MAX_RECEIVERS = 8
"""The most accounts that the contract pays per agreement."""


@dataclass(frozen=True, slots=True)
class PricedInput:
    """An input data set, as far as the bill needs it.

    Attributes
    ----------
    owner
        On-chain owner of the DID: the account that is paid.
    price
        Of its compute service, in base units.
    """

    did: str
    owner: Address
    price: int


@dataclass(frozen=True, slots=True)
class BillItem:
    """One line of the bill: base units for one receiver, and for what (a DID, or ``server <serverId>``)."""

    purpose: str
    receiver: Address
    amount: int


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a workflow.

    Attributes
    ----------
    items
        The bill, line by line, including lines of 0.
    amounts, receivers
        For the terms: equal accounts merged, zeros left out, the gateway first (it gets the rounding rest).
    """

    items: tuple[BillItem, ...]
    amounts: tuple[int, ...]
    receivers: tuple[Address, ...]

    @property
    def total(self) -> int:
        """Base units that the consumer locks."""
        return sum(self.amounts)


def price_of(inputs: Sequence[PricedInput], server: Server, gateway: Address, consumer: Address) -> Price:
    """Return what a consumer pays for a workflow.

    Each data set (in the order of the workflow) is paid once, to its owner; one that the consumer owns costs nothing.
    The chosen server is paid once, to the gateway.

    Raises ``SeveralOwnersTooMany`` for more than 8 receivers, and ``InvalidAmount`` for a total beyond uint128.
    """
    items = [BillItem(f"server {server.server_id}", gateway, server.price)]
    distinct: dict[str, PricedInput] = {}
    for priced in inputs:
        distinct.setdefault(priced.did, priced)
    for did, priced in distinct.items():
        owned = priced.owner.lower() == consumer.lower()
        items.append(BillItem(did, priced.owner, 0 if owned else priced.price))
    merged: dict[str, tuple[Address, int]] = {}
    for item in items:
        if item.amount:
            _, so_far = merged.get(item.receiver.lower(), (item.receiver, 0))
            merged[item.receiver.lower()] = (item.receiver, so_far + item.amount)
    if len(merged) > MAX_RECEIVERS:
        raise InsituError(
            "SeveralOwnersTooMany", f"{len(merged)} accounts must be paid, but at most {MAX_RECEIVERS} can"
        )
    amounts = tuple(amount for _, amount in merged.values())
    if sum(amounts) > MAX_AMOUNT:
        raise InsituError("InvalidAmount", "the total is beyond 2^128 - 1")
    return Price(tuple(items), amounts, tuple(receiver for receiver, _ in merged.values()))
