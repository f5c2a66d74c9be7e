"""Pools of documents that wait for the chain, so that nobody can fill a pool that others need.

Accounts are free, so a limit per account limits nobody. What counts is something that is not free: the key of a
gateway, a registration by an account that pays for its transactions, coin, or an address in another network.
"""

from dataclasses import dataclass

from insitu.domain.ids import Address
from insitu.ports.catalog import Catalog, Pool, WaitingPlace
from insitu.ports.chain import Chain

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingLimits:
    """How much may wait for the chain.

    Attributes
    ----------
    gateways
        Accounts of gateways. What they sign has no limit, because it follows from executions and is registered at once.
    stake
        Wei that a creator must hold who has registered nothing yet.
    per_creator, creators
        Documents of one creator who registered at own cost or holds the stake, and of all such creators.
    per_network, strangers
        Documents from one network of clients, and of all strangers together.
    share_bytes, pool_bytes
        Bytes of one creator or network, and of each pool.
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
    """Decides in which pool a document waits, and for how many seconds (``lifetime``) before it is dropped."""

    def __init__(self, catalog: Catalog, chain: Chain, limits: PendingLimits, lifetime: int) -> None:
        self._catalog = catalog
        self._chain = chain
        self._limits = limits
        self._gateways = {gateway.lower() for gateway in limits.gateways}
        self._lifetime = lifetime
        self.awaits_gateway = False
        """Whether the account of a gateway that the settings name is not known yet."""

    def welcome(self, gateway: Address) -> None:
        """Treat an account as that of a gateway from now on."""
        self._gateways.add(gateway.lower())
        self.awaits_gateway = False

    def welcomes(self, account: Address) -> bool:
        """Return whether an account is that of a gateway."""
        return account.lower() in self._gateways

    async def place(self, signer: Address, network: str) -> WaitingPlace:
        """Return the place of a document by its signer and the network it came from. Raises ``ChainUnavailable``.

        The signer counts and not the creator: a result's creator is the gateway, but its owner signs later versions.
        """
        limits = self._limits
        if self.welcomes(signer):
            return WaitingPlace("gateways", signer, lifetime=self._lifetime)
        if await self._has_something_at_stake(signer):
            return self._bounded("creators", signer, limits.per_creator, limits.creators)
        return self._bounded("strangers", network, limits.per_network, limits.strangers)

    async def _has_something_at_stake(self, account: Address) -> bool:
        # Gateways send registrations for accounts without coin, so the account must have sent a transaction as well.
        if await self._catalog.has_registered(account) and await self._chain.next_nonce(account):
            return True
        return await self._chain.native_balance(account) >= self._limits.stake

    def _bounded(self, pool: Pool, holder: str, share: int, pool_share: int) -> WaitingPlace:
        limits = self._limits
        return WaitingPlace(pool, holder, share, limits.share_bytes, pool_share, limits.pool_bytes, self._lifetime)
