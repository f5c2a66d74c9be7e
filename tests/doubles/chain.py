"""A real chain for tests: an embedded one in its own folder, with funded accounts, a movable clock and accidents."""

import copy
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.keys.dev import DEV_NAMES, DevSigner, dev_signer
from insitu.domain.agreement import Terms
from insitu.domain.did import Did, hash_did
from insitu.domain.ids import Address, new_seed
from insitu.domain.ledger import register_attribute
from insitu.ports.chain import Chain

__all__ = ["ChainControls", "new_terms", "register_did", "running_chain", "seen_from_now"]


@dataclass(frozen=True, slots=True)
class ChainControls:
    """What a test does to a development chain that no user can."""

    chain: EmbeddedChain

    async def mine(self, blocks: int = 1) -> None:
        """Mine blocks without transactions."""
        await self.chain.rpc("anvil_mine", hex(blocks))

    async def advance(self, seconds: int) -> None:
        """Move the clock forward and mine a block at the new time."""
        await self.chain.rpc("evm_increaseTime", seconds)
        await self.chain.rpc("evm_mine")

    async def reorganise(self, depth: int) -> None:
        """Replace the newest blocks with as many empty ones; their transactions are gone."""
        await self.chain.rpc("anvil_reorg", depth, [])

    async def hold(self, held: bool = True) -> None:
        """Stop or resume mining transactions as they come; meanwhile they wait for :meth:`mine`."""
        await self.chain.rpc("evm_setAutomine", not held)

    def kill(self) -> None:
        """Kill the chain's process without warning (SIGKILL)."""
        assert self.chain.pid is not None
        os.kill(self.chain.pid, signal.SIGKILL)


@asynccontextmanager
async def running_chain(folder: Path) -> AsyncIterator[EmbeddedChain]:
    """Run an embedded chain on a free port in which all development accounts are funded (see ``keys/dev.py``)."""
    accounts = [dev_signer(name).address for name in DEV_NAMES]
    chain = await EmbeddedChain.start(folder, dev_signer("deployer"), funded=accounts)
    try:
        yield chain
    finally:
        await chain.close()


async def seen_from_now(chain: EmbeddedChain) -> EmbeddedChain:
    """Return the same chain as if the contracts had been deployed in its newest block.

    A follower does not read again what earlier tests did. Only the chain that was started is closed.
    """
    newest = int(str(await chain.rpc("eth_blockNumber")), 16)
    view = copy.copy(chain)
    view.deployments = chain.deployments.model_copy(update={"block": newest})
    return view


async def register_did(chain: Chain, owner: DevSigner, provider: Address, *, checksum: bytes = bytes(32)) -> Did:
    """Register a DID with a random seed, so that the provider may sell it."""
    seed = bytes.fromhex(new_seed())
    await chain.transact(register_attribute(seed, checksum, [provider], "http://127.0.0.1/{did}"), owner)
    return hash_did(seed, owner.address)


async def new_terms(
    chain: Chain, did: Did, *, amounts: tuple[int, ...] = (10,), receivers: tuple[Address, ...] = ()
) -> Terms:
    """Make terms between the development accounts ``consumer`` and ``provider`` that can be locked now.

    ``receivers`` are by default ``owner``, ``provider``, … as many as there are amounts. Grant within 600 s, execute
    within an hour, settle within ten minutes after it.
    """
    named = ("owner", "provider", "second-owner", "relayer")
    return Terms(
        seed="0x" + new_seed(),
        did="0x" + did.digits,
        inputs_hash="0x" + "22" * 32,
        workflow_id="0x" + "33" * 32,
        workflow_hash="0x" + "44" * 32,
        consumer=dev_signer("consumer").address,
        provider=dev_signer("provider").address,
        service_index=1,
        deadline=await chain.time() + 600,
        grant_timeout=600,
        timeout=3600,
        settle_timeout=600,
        amounts=amounts,
        receivers=receivers or tuple(dev_signer(name).address for name in named[: len(amounts)]),
    )
