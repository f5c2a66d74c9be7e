"""Converting amounts between callers, who use tokens, and documents and contracts, which use base units."""

from collections.abc import Callable

from insitu.domain.amount import Amount, AmountLike
from insitu.ports.chain import Chain


async def read_amount(value: AmountLike, chain: Chain) -> Amount:
    """Return the amount a caller means, in the chain's payment token. Raises ``InvalidAmount``."""
    token = await chain.token()
    return Amount.read(value, decimals=token.decimals, symbol=token.symbol)


async def shown_amount(base_units: int, chain: Chain) -> Amount:
    """Return base units as an amount that knows the chain's payment token."""
    return await read_amount(Amount.from_base_units(base_units), chain)


async def price_shower(chain: Chain) -> Callable[[str], str]:
    """Return what shows a document's price as tokens; a text that is not one stays."""
    zero = await shown_amount(0, chain)

    def show(text: str) -> str:
        readable = text.isdecimal() and len(text) < 78
        return str(Amount.from_base_units(int(text), decimals=zero.decimals, symbol=zero.symbol)) if readable else text

    return show
