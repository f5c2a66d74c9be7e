"""The people in the tests of the chain port, and what they do most."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from insitu.adapters.chain.rpc import JsonRpc
from insitu.adapters.keys.dev import DevSigner, dev_signer
from insitu.domain.agreement import Terms, agreement_id
from insitu.domain.did import Did
from insitu.domain.ids import AgreementId
from insitu.domain.ledger import Call, LedgerEvent, create_and_lock
from insitu.ports.chain import Block, Chain, Cursor, Mined
from tests.doubles.chain import new_terms, register_did


@dataclass(frozen=True)
class Parties:
    """A chain with accounts that have tokens and gas, and a registered DID that ``provider`` sells for ``owner``."""

    chain: Chain
    url: str
    did: Did
    owner: DevSigner
    provider: DevSigner
    consumer: DevSigner
    stranger: DevSigner

    async def anvil(self, method: str, *parameters: object) -> Any:
        async with JsonRpc(self.url) as rpc:
            return await rpc.call(method, *parameters)

    async def terms(self, *amounts: int) -> Terms:
        return await new_terms(self.chain, self.did, amounts=amounts)

    async def lock(self, terms: Terms) -> tuple[AgreementId, Mined]:
        """Create and lock in one transaction, paid with a permit."""
        chain, permit = self.chain, None
        if terms.total:
            escrow = chain.contract("EscrowReward")
            permit = await chain.permit(self.consumer, escrow, terms.total, await chain.time() + 600)
        mined = await chain.transact(create_and_lock(terms, permit=permit), self.consumer)
        return agreement_id(terms, chain.agreements), mined


async def make_parties(chain: Chain, url: str) -> Parties:
    names = ("owner", "provider", "consumer", "stranger")
    signers = {name: dev_signer(name) for name in names}
    deployer = dev_signer("deployer")
    for signer in signers.values():
        mint = Call("NeverminedToken", "mint", (signer.address, 1000))
        await chain.transact(mint, deployer)
    did = await register_did(chain, signers["owner"], signers["provider"].address)
    return Parties(chain, url, did, **signers)


async def following(chain: Chain, after: Sequence[Cursor], confirmations: int = 0) -> AsyncGenerator[Block, None]:
    """A follower that is closed with the loop that reads it."""
    async with aclosing(cast("AsyncGenerator[Block, None]", chain.follow(after, confirmations))) as follower:
        async for block in follower:
            yield block


async def next_blocks(chain: Chain, after: Sequence[Cursor], count: int, confirmations: int = 0) -> list[Block]:
    """The first blocks that a follower sees."""
    blocks: list[Block] = []
    async with aclosing(following(chain, after, confirmations)) as follower:
        async for block in follower:
            blocks.append(block)
            if len(blocks) == count:
                break
    return blocks


async def read_to(chain: Chain, height: int, after: Sequence[Cursor] = ()) -> list[Block]:
    """The blocks that a follower sees up to a height."""
    blocks: list[Block] = []
    async with aclosing(following(chain, after)) as follower:
        async for block in follower:
            blocks.append(block)
            if block.cursor.number >= height:
                break
    return blocks


def events_of(blocks: Sequence[Block]) -> list[LedgerEvent]:
    return [logged.event for block in blocks for logged in block.events]
