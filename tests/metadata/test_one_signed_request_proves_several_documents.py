"""One signature for the registry is the proof of all its documents while they are pending (ADR 0128)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.keys.dev import dev_signer
from insitu.api.metadata_v1 import DDO
from insitu.domain.assembly import UnsignedDdo
from insitu.domain.canonical import JsonObject
from insitu.domain.ddo import read_ddo
from insitu.domain.document_verification import verify_document
from insitu.domain.ids import Address
from insitu.domain.integrity import signed_proof
from insitu.domain.registry_requests import (
    RegistrationBatch,
    RegistrationItem,
    Transfer,
    UpdateBatch,
    UpdateItem,
    registry_domain,
)
from insitu.domain.signed_request import SignedRequest
from insitu.ports.keys import Signer
from tests.metadata.conftest import Catalogue
from tests.metadata.documents import METADATA, dataset, eventually
from tests.metadata.test_documents_are_published_by_those_who_may import listed, publish, refused, revision
from tests.metadata.test_nobody_fills_the_pool_of_another import publish as published
from tests.metadata.test_nobody_fills_the_pool_of_another import small, wallet

__all__ = ["small"]

pytestmark = pytest.mark.needs("chain")

ALICE, MALLORY = dev_signer("owner"), dev_signer("stranger")


def made(chain: EmbeddedChain, signer: Signer, part: str, request: Any, **changes: Any) -> SignedRequest:
    chain_id, registry = chain.agreements.chain_id, chain.contract("DIDRegistry")
    changed = {"chain_id": chain_id, "registry": registry} | changes
    digest = request.digest(registry_domain(changed["chain_id"], changed["registry"]))
    return SignedRequest(signature="0x" + signer.sign_digest(digest).hex(), **{part: request}, **changed)


async def registering(
    chain: EmbeddedChain, documents: Sequence[UnsignedDdo], signer: Signer = ALICE, **changes: Any
) -> SignedRequest:
    """A batch that registers these documents for the account that signs it."""
    items = tuple(RegistrationItem(one.seed, bytes.fromhex(one.checksum), (), METADATA) for one in documents)
    batch = RegistrationBatch(signer.address, items, changes.pop("deadline", await chain.time() + 600))
    return made(chain, signer, "registrations", batch, **changes)


async def test_one_signature_proves_two_documents_which_are_listed_once_registered(
    http: httpx.AsyncClient, chain: EmbeddedChain
) -> None:
    pair = [dataset(chain, ALICE), dataset(chain, ALICE)]
    request = await registering(chain, pair)
    for unsigned in pair:
        document = unsigned.proved_by(request).to_json()
        assert "signatureValue" not in document["proof"]
        assert (await http.post(DDO, json=document)).json()["state"] == "pending"
    await chain.transact(request.call, MALLORY)
    for unsigned in pair:
        assert (await listed(http, str(unsigned.did)))["owner"] == ALICE.address
        kept = read_ddo((await http.get(f"{DDO}/{unsigned.did}")).json())
        assert verify_document(kept).is_own
        digest, signature, _ = signed_proof(kept)
        assert await chain.signed_by(ALICE.address, digest, signature)


async def test_an_update_is_proved_by_the_request_that_registers_it(
    http: httpx.AsyncClient, chain: EmbeddedChain
) -> None:
    first = await publish(http, chain)
    second = revision(first, "More flights", ALICE)
    item = UpdateItem(bytes(second.did), bytes.fromhex(second.checksum), METADATA, 2)
    request = made(chain, ALICE, "updates", UpdateBatch(ALICE.address, (item,), await chain.time() + 600))
    answer = await http.put(f"{DDO}/{first.did}", json=second.proved_by(request).to_json())
    assert answer.status_code == 200, answer.text
    await chain.transact(request.call, MALLORY)
    await listed(http, str(first.did), second.checksum)
    # The next version does not carry the request of the one before.
    third = revision(first, "Even more flights", ALICE)
    assert "request" not in third.document["proof"]


async def other_document(chain: EmbeddedChain, unsigned: UnsignedDdo) -> SignedRequest:
    return await registering(chain, [dataset(chain, ALICE)])


async def other_account(chain: EmbeddedChain, unsigned: UnsignedDdo) -> SignedRequest:
    return await registering(chain, [unsigned], MALLORY)


async def forged(chain: EmbeddedChain, unsigned: UnsignedDdo) -> SignedRequest:
    mine = (await registering(chain, [unsigned], MALLORY)).registrations
    assert mine is not None
    return made(chain, MALLORY, "registrations", replace(mine, creator=ALICE.address))


async def other_registry(chain: EmbeddedChain, unsigned: UnsignedDdo) -> SignedRequest:
    return await registering(chain, [unsigned], registry=Address("0x" + "11" * 20))


async def expired(chain: EmbeddedChain, unsigned: UnsignedDdo) -> SignedRequest:
    return await registering(chain, [unsigned], deadline=await chain.time() - 1)


async def a_transfer(chain: EmbeddedChain, unsigned: UnsignedDdo) -> SignedRequest:
    return made(chain, ALICE, "transfer", Transfer(bytes(unsigned.did), MALLORY.address, 0, await chain.time() + 600))


@pytest.mark.parametrize(
    ("make", "status", "code"),
    [
        (other_document, 401, "SignatureMismatch"),
        (other_account, 401, "SignatureMismatch"),
        (forged, 401, "SignatureMismatch"),
        (other_registry, 401, "SignatureMismatch"),
        (a_transfer, 401, "SignatureMismatch"),
        (expired, 409, "DeadlinePassed"),
    ],
)
async def test_a_request_that_does_not_register_the_document_proves_nothing(
    http: httpx.AsyncClient, chain: EmbeddedChain, make: Any, status: int, code: str
) -> None:
    unsigned = dataset(chain, ALICE)
    document = unsigned.proved_by(await make(chain, unsigned)).to_json()
    refused(await http.post(DDO, json=document), status, code)


async def test_a_request_that_is_none_is_an_invalid_document(http: httpx.AsyncClient, chain: EmbeddedChain) -> None:
    unsigned = dataset(chain, ALICE)
    document: JsonObject = unsigned.proved_by(await registering(chain, [unsigned])).to_json()
    document["proof"]["request"].pop("registrations")
    problem = refused(await http.post(DDO, json=document), 422, "InvalidDocument")
    assert problem["pointer"] == "/proof/request"
    document["proof"].pop("request")
    refused(await http.post(DDO, json=document), 401, "SignatureMismatch")


async def test_who_was_registered_for_nothing_has_no_stake(small: Catalogue, chain: EmbeddedChain) -> None:
    newcomer = wallet()
    first = dataset(chain, newcomer)
    request = await registering(chain, [first], newcomer)
    assert await published(small, first.proved_by(request).to_json()) == "pending"
    await chain.transact(request.call, MALLORY)

    async def is_listed() -> bool:
        return (await small.service.status(str(first.did))).state == "listed"

    await eventually(is_listed)
    again = [dataset(chain, newcomer) for _ in range(3)]
    states = [
        await published(small, one.proved_by(await registering(chain, [one], newcomer)).to_json()) for one in again
    ]
    assert states == ["pending", "pending", "PendingShareUsed"]
