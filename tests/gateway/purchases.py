"""Purchases that consumers sign and others send: how they are made, and who pays what."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx

from insitu.api.gateway_v1 import BASE
from insitu.domain.agreement import AgreementDomain, Terms, agreement_id, terms_digest
from insitu.domain.ids import AgreementId
from insitu.domain.ledger import AgreementCreated
from insitu.domain.purchase import SignedPermit, SignedPurchase
from tests.gateway.world import World, json_of

NOTHING_ELSE: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Expense:
    """What the provider has spent: transactions and coin."""

    transactions: int
    coin: int


async def spent(provider: World) -> Expense:
    account = provider.address("provider")
    nonce, coin = await provider.chain.next_nonce(account), await provider.chain.native_balance(account)
    return Expense(nonce, -coin)


async def offered_terms(provider: World, service: Mapping[str, Any] = NOTHING_ELSE) -> Terms:
    """Terms as the gateway quotes them for a workflow of the consumer; ``service`` changes the offer."""
    workflow = await provider.simple_workflow(await provider.publish_dataset(**service))
    return provider.terms(await provider.quote(workflow), deadline=await soon(provider))


async def soon(provider: World) -> int:
    """A deadline that is earlier than the service's, by the chain's time."""
    return await provider.chain.time() + 600


async def signed(
    provider: World,
    terms: Terms,
    who: str = "consumer",
    *,
    domain: AgreementDomain | None = None,
    allowed: int | None = None,
    permit_until: int | None = None,
) -> SignedPurchase:
    """Sign a purchase; by default exactly as the consumer's own client does."""
    signer, agreements = provider.people[who], domain or provider.chain.agreements
    signature = signer.sign_digest(terms_digest(terms, agreements))
    value, until = terms.total if allowed is None else allowed, permit_until or terms.deadline
    permit = await provider.chain.permit(signer, provider.chain.agreements.contract, value, until)
    return SignedPurchase(
        terms=terms, signature="0x" + signature.hex(), permit=SignedPermit.of(permit) if value else None
    )


async def penniless(provider: World, who: str = "consumer") -> None:
    """Take all coin from an account; the tokens stay."""
    await provider.chain.rpc("anvil_setBalance", provider.address(who), "0x0")
    assert await provider.chain.native_balance(provider.address(who)) == 0


async def post(provider: World, purchase: SignedPurchase) -> httpx.Response:
    body = purchase.model_dump(mode="json", by_alias=True)
    return await provider.http.post(BASE + "/agreements", json=body)


async def code_of(provider: World, purchase: SignedPurchase) -> str:
    """Return the code of the refusal of a purchase."""
    answer = await post(provider, purchase)
    assert answer.status_code >= 400, answer.text
    return str(json_of(answer)["code"])


async def created(provider: World, consumer: str = "consumer") -> list[AgreementCreated]:
    """Return the agreements of a consumer on chain."""
    return list(await provider.chain.find_agreements(provider.address(consumer)))


def id_of(provider: World, terms: Terms) -> AgreementId:
    return agreement_id(terms, provider.chain.agreements)


def elsewhere(domain: AgreementDomain, **changes: Any) -> AgreementDomain:
    return replace(domain, **changes)
