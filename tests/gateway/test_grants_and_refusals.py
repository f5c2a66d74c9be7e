"""C7: what the provider grants, what it refuses with a refund, and what it leaves to the timeout."""

from typing import Any

import anyio
import pytest

from insitu.domain.agreement import agreement_id
from insitu.domain.errors import InsituError
from insitu.domain.ids import new_seed
from insitu.domain.ledger import refund
from insitu.ports.agreement_records import Standing
from tests.gateway.world import SMALL, World

pytestmark = pytest.mark.needs("chain")


async def refused(provider: World, workflow: str, **changes: Any) -> tuple[str, bool]:
    """Buy with changed terms. Return the code of the refusal and whether the money was refunded at once."""
    terms = provider.terms(await provider.quote(workflow), **changes)
    before = await provider.chain.balance(provider.address("consumer"))
    bought = await provider.lock(terms)
    await provider.until_standing(bought, Standing.REFUSED, Standing.DECLINED)
    known = await provider.agreements.agreement(bought)
    assert known is not None
    assert known.reason is not None
    assert not (await provider.chain.agreement(bought)).granted
    return known.reason.code, await provider.chain.balance(provider.address("consumer")) == before


@pytest.mark.slow
async def test_terms_that_were_not_offered_are_refused_and_refunded_at_once(provider: World) -> None:
    data, other = await provider.publish_dataset(), await provider.publish_dataset()
    workflow, another = await provider.simple_workflow(data), await provider.simple_workflow(other)
    quote = await provider.quote(workflow)
    stranger = provider.address("stranger")
    elsewhere = await provider.quote(another)
    cases: list[tuple[str, dict[str, Any]]] = [
        ("PriceTooLow", {"amounts": (3, 9)}),
        ("TermsMismatch", {"amounts": (4, 9)}),
        ("TermsMismatch", {"receivers": (stranger, quote.receivers[1].address)}),
        ("TermsMismatch", {"timeout": 86401}),
        ("TermsMismatch", {"grant_timeout": 700}),
        ("TermsMismatch", {"settle_timeout": 60}),
        ("TermsMismatch", {"inputs_hash": "0x" + "ab" * 32}),
        ("TermsMismatch", {"did": "0x" + elsewhere.did.removeprefix("did:nv:")}),
        ("ServiceNotFound", {"service_index": 0}),
    ]
    for code, changes in cases:
        told, back = await refused(provider, workflow, **changes)
        assert (told, back) == (code, True), changes


async def test_a_lock_below_the_services_price_is_not_worth_a_refusal(provider: World) -> None:
    workflow = await provider.simple_workflow(await provider.publish_dataset(price="1000"))
    code, back = await refused(provider, workflow, amounts=(3, 4))
    assert (code, back) == ("PriceTooLow", False)


async def test_a_shorter_time_to_grant_or_a_longer_one_to_settle_is_granted(provider: World) -> None:
    workflow = await provider.simple_workflow(await provider.publish_dataset())
    await provider.buy(workflow, grant_timeout=300, settle_timeout=10_000)


async def test_a_policy_that_forbids_the_algorithm_refuses_the_purchase(provider: World) -> None:
    data = await provider.publish_dataset(policy={"algorithms": []})
    workflow = await provider.simple_workflow(data)
    quote = await provider.quote(workflow)
    assert not quote.allowed
    assert [reason.code for reason in quote.reasons] == ["AlgorithmNotAllowed"]
    assert quote.reasons[0].next_step
    assert await refused(provider, workflow) == ("AlgorithmNotAllowed", True)


async def test_a_version_of_the_workflow_that_does_not_exist_is_refused_at_once(provider: World) -> None:
    object.__setattr__(provider.configuration, "patience", 60.0)
    workflow = await provider.simple_workflow(await provider.publish_dataset())
    code, back = await refused(provider, workflow, workflow_hash="0x" + "12" * 32)
    assert (code, back) == ("ChecksumMismatch", True)


async def test_a_provider_whose_runtime_is_refused_sells_nothing_and_refunds_what_was_locked(
    provider: World,
) -> None:
    object.__setattr__(provider.configuration, "patience", 0.5)
    workflow = await provider.simple_workflow(await provider.publish_dataset())
    terms = provider.terms(await provider.quote(workflow))
    granted = await provider.buy(workflow)

    async def proved(*refusals: str) -> None:
        provider.operator.runtime.refusals, probes = refusals, provider.operator.runtime.probes
        provider.operator.engine.prove()
        provider.operator.engine.wake()
        while provider.operator.runtime.probes == probes:  # noqa: ASYNC110 (looked at from outside)
            await anyio.sleep(0.005)

    await proved("no loop device is here")
    for asked in (
        provider.quote(workflow),
        provider.gateway.offerer.offer(terms),
        provider.exec(granted),
    ):
        with pytest.raises(InsituError, match="RuntimeUnavailable: no loop device is here"):
            await asked
    assert await provider.agreements.executions(agreement_id=granted) == ()
    before = await provider.chain.balance(provider.address("consumer"))
    locked = await provider.lock(terms)
    await provider.until_standing(locked, Standing.REFUSED)
    known = await provider.agreements.agreement(locked)
    assert known is not None
    assert known.reason is not None
    assert (known.reason.code, known.reason.message) == ("RuntimeUnavailable", "no loop device is here")
    assert await provider.chain.balance(provider.address("consumer")) == before
    await proved()
    assert (await provider.quote(workflow)).allowed
    await provider.exec(granted)


async def test_free_agreements_are_granted_until_the_quota_is_used_up(provider: World) -> None:
    environment = {
        "cluster": {"type": "insitu"},
        "supportedContainers": [{"image": "insitu/python", "tag": "3.11", "checksum": "sha256:" + "cb" * 32}],
        "supportedServers": [SMALL | {"price": "0"}],
    }
    data = await provider.publish_dataset(price="0", provider={"type": "On-Premise", "environment": environment})
    workflow = await provider.simple_workflow(data)
    object.__setattr__(provider.configuration, "free_grants_per_day", 2)
    for _ in range(2):
        await provider.buy(workflow)
    terms = provider.terms(await provider.quote(workflow), grant_timeout=2)
    bought = await provider.lock(terms)
    await provider.until_standing(bought, Standing.DECLINED)
    known = await provider.agreements.agreement(bought)
    assert known is not None
    assert known.reason is not None
    assert known.reason.code == "QuotaExceeded"


async def test_without_a_grant_anyone_can_refund_the_payment(provider: World) -> None:
    workflow = await provider.simple_workflow(await provider.publish_dataset(price="1000"))
    before = await provider.balances()
    terms = provider.terms(await provider.quote(workflow), amounts=(3, 4))
    bought = await provider.lock(terms)
    await provider.until_standing(bought, Standing.DECLINED)
    await provider.pass_time(terms.grant_timeout + 1)
    await provider.chain.transact(refund(terms), provider.people["stranger"])
    await provider.until_standing(bought, Standing.REFUNDED)
    assert await provider.balances() == before


async def test_an_agreement_with_another_provider_is_not_this_gateways(provider: World) -> None:
    data = await provider.publish_dataset()
    terms = provider.terms(
        await provider.quote(await provider.simple_workflow(data)), provider=provider.address("owner")
    )
    bought = await provider.lock(terms)
    await provider.until_followed()
    assert await provider.agreements.agreement(bought) is None
    with pytest.raises(InsituError, match="AgreementUnknown"):
        await provider.exec(bought)


async def test_an_agreement_that_is_created_and_not_paid_waits(provider: World) -> None:
    from insitu.domain.ledger import Call

    workflow = await provider.simple_workflow(await provider.publish_dataset())
    terms = provider.terms(await provider.quote(workflow), seed="0x" + new_seed())
    create = Call("ServiceExecutionTemplate", "createAgreement", (terms.as_tuple(), b""))
    await provider.chain.transact(create, provider.people["consumer"])
    bought = agreement_id(terms, provider.chain.agreements)
    await provider.until_followed()
    known = await provider.agreements.agreement(bought)
    assert known is not None
    assert known.standing is Standing.CREATED
    with pytest.raises(InsituError, match="AgreementUnknown"):
        await provider.exec(bought)
