"""Signed requests to the registry: how owners make them, and how they are posted."""

import os
from collections.abc import Sequence
from typing import Any

import httpx

from insitu.api.gateway_v1 import BASE
from insitu.domain.did import Did, hash_did
from insitu.domain.ids import Address
from insitu.domain.registry_requests import (
    ProviderChange,
    RegistrationBatch,
    RegistrationItem,
    Transfer,
    UpdateBatch,
    UpdateItem,
    registry_domain,
)
from insitu.domain.signed_request import SignedRequest
from tests.gateway.test_nothing_is_lost_or_doubled import until
from tests.gateway.world import World, json_of

KINDS = {
    RegistrationBatch: "registrations",
    UpdateBatch: "updates",
    Transfer: "transfer",
    ProviderChange: "provider_change",
}


async def soon(provider: World) -> int:
    return await provider.chain.time() + 500


def item(provider: World, **changes: Any) -> RegistrationItem:
    """An asset that nobody has registered, at this provider."""
    providers = (provider.address("provider"),)
    made = {"seed": os.urandom(32), "checksum": os.urandom(32), "providers": providers}
    return RegistrationItem(**(made | {"url": provider.configuration.metadata_url} | changes))


async def batch(provider: World, items: Sequence[RegistrationItem], who: str = "owner") -> RegistrationBatch:
    return RegistrationBatch(provider.address(who), tuple(items), await soon(provider))


async def update(provider: World, did: str, version: int, who: str = "owner", **changes: Any) -> UpdateBatch:
    url = changes.get("url", provider.configuration.metadata_url)
    made = UpdateItem(bytes(Did.parse(did)), os.urandom(32), url, version)
    return UpdateBatch(provider.address(who), (made,), await soon(provider))


async def transfer(provider: World, did: str, to: Address, changes: int = 0) -> Transfer:
    return Transfer(bytes(Did.parse(did)), to, changes, await soon(provider))


def signed(provider: World, request: Any, who: str = "owner", **changes: Any) -> SignedRequest:
    """Sign a request as the account's own client does."""
    chain_id, registry = provider.chain.agreements.chain_id, provider.chain.contract("DIDRegistry")
    digest = request.digest(registry_domain(chain_id, registry))
    signature = "0x" + provider.people[who].sign_digest(digest).hex()
    parts = {KINDS[type(request)]: request, "chain_id": chain_id, "registry": registry, "signature": signature}
    return SignedRequest(**(parts | changes))


async def post(provider: World, request: SignedRequest) -> httpx.Response:
    body = request.model_dump(mode="json", by_alias=True, exclude_none=True)
    return await provider.http.post(BASE + "/requests", json=body)


async def code_of(provider: World, request: SignedRequest) -> str:
    """Return the code of the refusal of a request."""
    answer = await post(provider, request)
    assert answer.status_code >= 400, answer.text
    return str(json_of(answer)["code"])


async def until_mined(provider: World, answer: httpx.Response) -> str:
    """Wait until what was posted is in a block; return the transaction."""
    assert answer.status_code == 202, answer.text
    return await mined(provider, json_of(answer)["transaction"])


async def mined(provider: World, transaction: str) -> str:
    async def is_mined() -> bool:
        return await provider.chain.outcome(transaction) is not None

    await until(is_mined)
    return transaction


async def registered(provider: World, who: str = "owner") -> str:
    """An asset of an account that the gateway registered for it."""
    made = item(provider)
    await until_mined(provider, await post(provider, signed(provider, await batch(provider, [made], who), who)))
    return str(hash_did(made.seed, provider.address(who)))


async def owner_of(provider: World, did: str) -> Address | None:
    record = await provider.chain.did_record(did)
    return record.owner if record is not None else None
