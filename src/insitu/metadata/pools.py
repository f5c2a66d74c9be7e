"""Pools of documents that wait for the chain: nobody fills one that belongs to somebody else.

Accounts are free, so a limit for each account bounds nobody. What counts is what cannot be had for nothing: the key of
a gateway, a registration that was paid for, coin, or an address in another network.
"""

from dataclasses import dataclass

from insitu.domain.ids import Address
from insitu.ports.catalog import Catalog, Place, Pool
from insitu.ports.chain import Chain

__all__ = ["PendingLimits", "Pools"]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingLimits:
    """How much may wait for the chain.

    Attributes
    ----------
    gateways
        Accounts of gateways. What they sign has no limit: executions bound it, and it is registered at once.
    stake
        Wei that a creator holds who has registered nothing yet.
    per_creator, creators
        Documents of one creator who has registered or holds the stake, and of all of these.
    per_network, strangers
        Documents from one network of clients, and of all others together.
    share_bytes, pool_bytes
        Bytes of one creator or network, and of either pool.
    """

    gateways: tuple[Address, ...] = ()
    stake: int = 10**16
    per_creator: int = 100
    creators: int = 10_000
    per_network: int = 100
    strangers: int = 2_000
    share_bytes: int = 4 * MIB
    pool_bytes: int = 64 * MIB


class Pools:
    """Decides where a document waits; ``lifetime`` in seconds, after which it is dropped."""

    def __init__(self, catalog: Catalog, chain: Chain, limits: PendingLimits, lifetime: int) -> None:
        self._catalog = catalog
        self._chain = chain
        self._limits = limits
        self._gateways = {one.lower() for one in limits.gateways}
        self._lifetime = lifetime

    def welcome(self, gateway: Address) -> None:
        """Count an account among those of gateways."""
        self._gateways.add(gateway.lower())

    async def place(self, signer: Address, network: str) -> Place:
        """Return the place of a document by who signed it and where it came from. Raises ``ChainUnavailable``.

        The signer counts, not the creator: results have the gateway as creator, and later versions their owner's hand.
        """
        limits = self._limits
        if signer.lower() in self._gateways:
            return Place("gateways", signer, lifetime=self._lifetime)
        if await self._has_something_at_stake(signer):
            return self._bounded("creators", signer, limits.per_creator, limits.creators)
        return self._bounded("strangers", network, limits.per_network, limits.strangers)

    async def _has_something_at_stake(self, account: Address) -> bool:
        if await self._catalog.has_registered(account):
            return True
        return await self._chain.native_balance(account) >= self._limits.stake

    def _bounded(self, pool: Pool, holder: str, share: int, pool_share: int) -> Place:
        limits = self._limits
        return Place(pool, holder, share, limits.share_bytes, pool_share, limits.pool_bytes, self._lifetime)
