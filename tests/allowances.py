"""The call that lets somebody draw tokens. The software signs permits instead; tests and older clients approve."""

from insitu.domain.ids import Address
from insitu.domain.ledger import Call


def approve(spender: Address, amount: int) -> Call:
    """Let ``spender`` draw ``amount`` base units (ERC-20)."""
    return Call("NeverminedToken", "approve", (spender, amount))
