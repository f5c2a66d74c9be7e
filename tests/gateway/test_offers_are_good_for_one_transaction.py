"""An offer is the provider's signature for the full terms. With it, one transaction of the consumer buys and grants."""

import pytest

from insitu.api.gateway_v1 import BASE
from insitu.domain.agreement import Terms, terms_digest
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.inputs_hash import inputs_hash
from insitu.domain.ledger import AgreementCreated, ComputeFulfilled, LockFulfilled, create_lock_grant
from insitu.domain.signatures import recover_address
from insitu.ports.agreement_records import Standing
from insitu.ports.chain import Mined
from tests.gateway.purchases import id_of, offered_terms, soon, spent
from tests.gateway.world import World, json_of

pytestmark = pytest.mark.needs("chain")


async def asked(provider: World, terms: Terms) -> dict[str, str]:
    body = {"terms": terms.model_dump(mode="json", by_alias=True)}
    answer = await provider.http.post(BASE + "/offers", json=body)
    found: dict[str, str] = json_of(answer)
    return found


async def accepted(provider: World, terms: Terms, offer: str) -> Mined:
    """Return the consumer's one transaction."""
    consumer = provider.people["consumer"]
    permit = await provider.chain.permit(consumer, provider.chain.agreements.contract, terms.total, terms.deadline)
    call = create_lock_grant(terms, permit=permit, offer=bytes.fromhex(offer[2:]))
    return await provider.chain.transact(call, consumer)


async def test_purchase_and_grant_are_one_transaction_of_the_consumer(provider: World) -> None:
    terms = await offered_terms(provider)
    before, agreement = await spent(provider), id_of(provider, terms)
    offer = await asked(provider, terms)
    assert offer["serviceAgreementId"] == agreement
    signer = recover_address(terms_digest(terms, provider.chain.agreements), offer["signature"])
    assert signer == provider.address("provider")
    mined = await accepted(provider, terms, offer["signature"])
    kinds = [type(logged.event) for logged in mined.events]
    assert kinds == [AgreementCreated, LockFulfilled, ComputeFulfilled]

    await provider.until_standing(agreement, Standing.GRANTED)
    assert await spent(provider) == before
    known = await provider.agreements.agreement(agreement)
    assert known is not None
    assert inputs_hash(tuple(known.versions.items())) == terms.inputs_hash
    assert known.max_executions == 100
    started = await provider.exec(agreement)
    await provider.until_events(started.workflow_execution_id, "settled", "end")


async def test_an_offer_is_useless_to_anyone_else_or_for_other_terms(provider: World) -> None:
    terms = await offered_terms(provider)
    offer = bytes.fromhex((await asked(provider, terms))["signature"][2:])
    with pytest.raises(InsituError, match="SignatureMismatch"):
        await provider.chain.transact(create_lock_grant(terms, offer=offer), provider.people["stranger"])
    cheaper = terms.model_copy(update={"amounts": (1, 1)})
    with pytest.raises(InsituError, match="SignatureMismatch"):
        await provider.chain.transact(create_lock_grant(cheaper, offer=offer), provider.people["consumer"])


async def test_an_offer_can_be_used_once(provider: World) -> None:
    terms = await offered_terms(provider)
    offer = (await asked(provider, terms))["signature"]
    await accepted(provider, terms, offer)
    with pytest.raises(InsituError, match="ConditionNotInState"):
        await accepted(provider, terms, offer)


async def test_no_offer_is_made_for_terms_that_would_not_be_granted(provider: World) -> None:
    terms = await offered_terms(provider)
    late = {"deadline": (await soon(provider)) + 600}
    for code, changes in (
        ("TermsMismatch", {"timeout": terms.timeout + 1}),
        ("TermsMismatch", {"provider": Address("0x" + "11" * 20)}),
        ("PriceTooLow", {"amounts": (9, 3)}),
        ("DeadlinePassed", {"deadline": 1}),
        ("TermsMismatch", late),
        ("OfferRefused", {"amounts": (), "receivers": ()}),
    ):
        refused = await asked(provider, terms.model_copy(update=changes))
        assert refused["code"] == code, changes
        assert "signature" not in refused


async def test_no_offer_is_made_against_the_owners_rules(provider: World) -> None:
    closed = {"policy": {"algorithms": []}}
    refused = await asked(provider, await offered_terms(provider, closed))
    assert refused["code"] == "AlgorithmNotAllowed"
