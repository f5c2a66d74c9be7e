"""Converting amounts between callers, who use tokens, and documents and contracts, which use base units."""

from insitu.domain.amount import Amount, AmountLike
from insitu.ports.chain import Chain

__all__ = ["read_amount", "shown_amount"]


async def read_amount(value: AmountLike, chain: Chain) -> Amount:
    """Return the amount a caller means, in the chain's payment token. Raises ``InvalidAmount``."""
    token = await chain.token()
    return Amount.read(value, decimals=token.decimals, symbol=token.symbol)


async def shown_amount(base_units: int, chain: Chain) -> Amount:
    """Return base units as an amount that knows the chain's payment token."""
    return await read_amount(Amount.from_base_units(base_units), chain)
