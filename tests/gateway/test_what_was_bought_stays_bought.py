"""What was bought stays bought: the terms prove the version of every input, and the gateway has a copy of each."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from insitu.domain.agreement import Terms
from insitu.domain.canonical import JsonObject
from insitu.domain.errors import InsituError
from insitu.domain.ids import AgreementId
from insitu.domain.inputs_hash import inputs_hash
from insitu.domain.ledger import create_lock_grant
from insitu.ports.agreement_changes import Judge, KeepCopy
from insitu.ports.agreement_records import KnownAgreement, Standing
from tests.gateway.purchases import id_of, signed, soon
from tests.gateway.versions import document, propose, register, revise_main
from tests.gateway.world import SMALL, World

pytestmark = pytest.mark.needs("chain")

CENTURY = timedelta(days=36500)
DEARER = {"price": "1000"}


async def two_inputs(provider: World) -> tuple[str, str, str]:
    """Return two data sets of two owners, and a workflow of the consumer that reads both."""
    first, second = await provider.publish_dataset(), await provider.publish_dataset("second-owner")
    return first, second, await provider.simple_workflow(first, second)


async def raise_price(provider: World, did: str, who: str = "second-owner") -> str:
    return await revise_main(provider, who, did, 1, **DEARER)


async def known(provider: World, agreement: AgreementId) -> KnownAgreement:
    found = await provider.agreements.agreement(agreement)
    assert found is not None
    return found


def withhold(provider: World, *dids: str) -> None:
    """Let no catalogue answer for these documents any more, as after a restart."""
    resolver = provider.desk.ports.resolver
    resolver._proved.clear()

    class Withholding:
        async def read(self, url: str, checksum: str | None = None) -> Any:
            if any(did in url for did in dids):
                raise InsituError("AssetNotFound", "withheld")
            return await provider.metadata.read(url, checksum)

    resolver._metadata = Withholding()


async def forget(provider: World, agreement: AgreementId, **versions: str) -> None:
    """Replace what the gateway noted about the versions, as if its memory were lost or changed."""
    await provider.agreements.apply([Judge(agreement, Standing.GRANTED, datetime.now(UTC), versions=versions)])


async def runs(provider: World, agreement: AgreementId) -> None:
    started = await provider.exec(agreement)
    await provider.until_events(started.workflow_execution_id, "settled", "end")


async def refusal(provider: World, terms: Terms) -> InsituError:
    with pytest.raises(InsituError) as caught:
        await provider.gateway.offerer.offer(terms)
    return caught.value


async def bought_with_an_offer(provider: World, terms: Terms) -> AgreementId:
    """Buy with an offer, so that the gateway notes the grant only from the chain."""
    offer = await provider.gateway.offerer.offer(terms)
    permit = await provider.chain.permit(
        provider.people["consumer"], provider.chain.agreements.contract, terms.total, terms.deadline
    )
    call = create_lock_grant(terms, permit=permit, offer=bytes.fromhex(offer.signature[2:]))
    await provider.chain.transact(call, provider.people["consumer"])
    return id_of(provider, terms)


async def test_documents_that_are_withheld_after_the_purchase_end_no_agreement(provider: World) -> None:
    first, second, workflow = await two_inputs(provider)
    agreement = await provider.buy(workflow)
    withhold(provider, first, second, workflow)
    await runs(provider, agreement)


async def test_a_version_that_is_withheld_after_a_newer_one_still_sets_the_price(provider: World) -> None:
    _, second, workflow = await two_inputs(provider)
    terms = provider.terms(await provider.quote(workflow))
    agreement = await provider.lock(terms)
    await provider.until_standing(agreement, Standing.GRANTED)
    bought = (await document(provider, second)).to_json()
    await raise_price(provider, second)
    resolver, real = provider.desk.ports.resolver, provider.metadata

    class OnlyNewer:
        async def read(self, url: str, checksum: str | None = None) -> Any:
            found = await real.read(url, checksum)
            if found == bought:
                raise InsituError("AssetNotFound", "withheld")
            return found

    resolver._proved.clear()
    resolver._metadata = OnlyNewer()
    await runs(provider, agreement)
    execution = (await provider.agreements.executions(agreement_id=agreement))[0]
    assert execution.dossier.services[second]["price"] == "10"


async def test_a_bought_version_that_is_lost_everywhere_is_named(provider: World) -> None:
    _, second, workflow = await two_inputs(provider)
    agreement = await provider.buy(workflow)
    withhold(provider, second)
    await provider.agreements.remove_copies(datetime.now(UTC) + CENTURY)
    with pytest.raises(InsituError, match="BoughtVersionUnknown") as caught:
        await provider.exec(agreement)
    assert second in caught.value.detail
    provider.desk.ports.resolver._metadata = provider.metadata
    await runs(provider, agreement)


async def test_nothing_runs_under_a_current_version_whose_document_is_withheld(provider: World) -> None:
    _, second, workflow = await two_inputs(provider)
    agreement = await provider.buy(workflow)
    await raise_price(provider, second)
    withhold(provider, second)
    with pytest.raises(InsituError, match="AssetNotFound") as caught:
        await provider.exec(agreement)
    assert caught.value.context["did"] == second
    provider.desk.ports.resolver._metadata = provider.metadata
    await runs(provider, agreement)


@pytest.mark.parametrize("catalogue", [True, False], ids=["the catalogue counts", "or nothing"])
async def test_a_copy_that_somebody_edited_proves_nothing(provider: World, *, catalogue: bool) -> None:
    _, second, workflow = await two_inputs(provider)
    agreement = await provider.buy(workflow)
    edited = (await document(provider, second)).to_json()
    edited["service"][1]["attributes"]["main"]["policy"] = {"algorithms": "any", "maxExecutions": 10_000}
    checksum = (await known(provider, agreement)).versions[second]
    await provider.agreements.apply([KeepCopy(second, checksum, 0, edited, datetime.now(UTC) + CENTURY)])
    withhold(provider, *([] if catalogue else [second]))
    if catalogue:
        await runs(provider, agreement)
    else:
        with pytest.raises(InsituError, match="BoughtVersionUnknown"):
            await provider.exec(agreement)


async def test_copies_go_when_no_agreement_needs_them(provider: World) -> None:
    _, second, workflow = await two_inputs(provider)
    agreement = await provider.buy(workflow)
    found, ends = await known(provider, agreement), await provider.chain.agreement(agreement)
    until = datetime.fromtimestamp(ends.settlement_ends(found.terms), UTC)
    for did, checksum in (*found.versions.items(), (workflow, found.terms.workflow_hash[2:])):
        await provider.agreements.remove_copies(until)
        assert await provider.agreements.copy(did, checksum) is not None
    await provider.agreements.remove_copies(until + timedelta(seconds=1))
    assert await provider.agreements.copy(second, found.versions[second]) is None


async def test_every_way_of_buying_keeps_copies(provider: World) -> None:
    _, second, workflow = await two_inputs(provider)
    for way in ("grant", "offer", "relay"):
        await provider.agreements.remove_copies(datetime.now(UTC) + CENTURY)
        terms = provider.terms(await provider.quote(workflow), deadline=await soon(provider))
        if way == "grant":
            await provider.until_standing(await provider.lock(terms), Standing.GRANTED)
        elif way == "offer":
            await provider.gateway.offerer.offer(terms)
        else:
            await provider.gateway.relayer.relay(await signed(provider, terms))
        checksum = (await provider.desk.ports.resolver.record(second)).checksum
        assert await provider.agreements.copy(second, checksum) is not None, way


async def test_what_was_quoted_is_sold_at_its_price_although_the_owner_changed_it(provider: World) -> None:
    first, second, workflow = await two_inputs(provider)
    terms = provider.terms(await provider.quote(workflow), deadline=await soon(provider))
    before = {did: (await provider.desk.ports.resolver.record(did)).checksum for did in (first, second)}
    await raise_price(provider, second)
    await raise_price(provider, first, "owner")
    agreement = await bought_with_an_offer(provider, terms)
    await provider.until_standing(agreement, Standing.GRANTED)
    assert (await known(provider, agreement)).versions == before
    await runs(provider, agreement)


async def test_a_sold_agreement_keeps_its_server_although_the_owner_offers_others_by_now(provider: World) -> None:
    first, second, workflow = await two_inputs(provider)
    agreement = await provider.buy(workflow)
    other = SMALL | {"serverId": "other", "price": "900", "maxExecutionTime": 60}

    def offer_another(services: list[JsonObject]) -> None:
        services[1]["attributes"]["main"]["provider"]["environment"]["supportedServers"] = [other]

    for who, did in (("owner", first), ("second-owner", second)):
        await register(provider, who, did, await propose(provider, who, did, offer_another))
    quote = await provider.quote(workflow)
    assert quote.server is not None
    assert quote.server["serverId"] == "other"
    started = await provider.exec(agreement)
    plan = (await provider.execution(started.workflow_execution_id)).plan
    assert plan.limits.max_execution_seconds == SMALL["maxExecutionTime"]
    await provider.until_events(started.workflow_execution_id, "settled", "end")
    assert (await provider.execution(started.workflow_execution_id)).charge == 23


async def test_a_lock_before_the_change_counts_although_the_grant_comes_after_it(provider: World) -> None:
    _, second, workflow = await two_inputs(provider)
    terms = provider.terms(await provider.quote(workflow))
    await provider.lock(terms)
    locked = (await provider.chain.agreement(id_of(provider, terms))).start
    await raise_price(provider, second)
    found = await provider.gateway.granter.terms_checker.require(terms, locked=locked)
    assert found.price is not None
    assert found.price.total == terms.total


async def test_a_data_set_of_ones_own_makes_no_old_price_of_others_last_longer(provider: World) -> None:
    own = await provider.publish_dataset("consumer", price="0", lock_timeout=366 * 86400)
    theirs = await provider.publish_dataset("second-owner", lock_timeout=300)
    workflow = await provider.simple_workflow(own, theirs)
    quote = await provider.quote(workflow)
    assert quote.deadline_seconds == 300
    now = await provider.chain.time()
    assert (await refusal(provider, provider.terms(quote, deadline=now + 900))).code == "TermsMismatch"
    terms = provider.terms(quote, deadline=now + 900)
    await raise_price(provider, theirs)
    error = await refusal(provider, terms)
    assert (error.code, error.context["did"]) == ("TermsMismatch", theirs)


async def test_no_offer_holds_for_more_than_an_hour(provider: World) -> None:
    workflow = await provider.simple_workflow(await provider.publish_dataset(lock_timeout=366 * 86400))
    quote, now = await provider.quote(workflow), await provider.chain.time()
    assert quote.deadline_seconds == 3600
    assert (await refusal(provider, provider.terms(quote, deadline=now + 2 * 3600))).code == "TermsMismatch"
    await provider.gateway.offerer.offer(provider.terms(quote, deadline=now + 3600))


async def test_stale_terms_are_refused_and_the_changed_input_is_named(provider: World) -> None:
    _, second, workflow = await two_inputs(provider)
    terms = provider.terms(await provider.quote(workflow))
    await raise_price(provider, second)
    await provider.pass_time(2)
    error = await refusal(provider, terms)
    assert (error.code, error.context["did"]) == ("TermsMismatch", second)
    assert terms.inputs_hash not in error.detail
    locked = await provider.lock(terms)
    await provider.until_standing(locked, Standing.REFUSED, Standing.REFUNDED)
    assert "newer version" in str((await known(provider, locked)).reason)


async def test_versions_that_never_were_current_at_the_same_time_are_not_sold(provider: World) -> None:
    first, second, workflow = await two_inputs(provider)
    old = provider.terms(await provider.quote(workflow), deadline=await soon(provider))
    was = (await provider.desk.ports.resolver.record(second)).checksum
    await raise_price(provider, second)
    newer = await revise_main(provider, "owner", first, 1, price="11")
    mixed = inputs_hash([(first, newer), (second, was)])
    error = await refusal(provider, old.model_copy(update={"inputs_hash": mixed}))
    assert error.code == "TermsMismatch"
    assert first in error.detail
    assert second in error.detail


async def test_a_version_that_nobody_registered_is_not_sold(provider: World) -> None:
    first, second, workflow = await two_inputs(provider)
    terms = provider.terms(await provider.quote(workflow), deadline=await soon(provider))
    invented = inputs_hash([(first, (await provider.desk.ports.resolver.record(first)).checksum), (second, "ab" * 32)])
    assert (await refusal(provider, terms.model_copy(update={"inputs_hash": invented}))).code == "TermsMismatch"


async def test_a_swapped_version_in_the_gateways_memory_changes_nothing(provider: World) -> None:
    first, second, workflow = await two_inputs(provider)
    agreement = await provider.buy(workflow)
    bought = dict((await known(provider, agreement)).versions)
    newer = await raise_price(provider, second)
    for claimed in ({first: bought[first], second: newer}, {second: bought[second]}, {}):
        await forget(provider, agreement, **claimed)
        await runs(provider, agreement)
        assert (await known(provider, agreement)).versions == bought
        execution = (await provider.agreements.executions(agreement_id=agreement))[0]
        assert execution.dossier.services[second]["price"] == "10"


async def test_an_agreement_whose_versions_the_chain_never_had_does_not_run(provider: World) -> None:
    _, _, workflow = await two_inputs(provider)
    found = await known(provider, await provider.buy(workflow))
    other = found.terms.model_copy(update={"inputs_hash": "0x" + "ab" * 32})
    with pytest.raises(InsituError, match="BoughtVersionUnknown"):
        await provider.gateway.executor.version_keeper.prove(other, found.versions)


async def test_a_grant_by_an_offer_notes_what_was_bought_although_it_is_withheld(provider: World) -> None:
    first, second, workflow = await two_inputs(provider)
    terms = provider.terms(await provider.quote(workflow), deadline=await soon(provider))
    offer = await provider.gateway.offerer.offer(terms)
    withhold(provider, first, second)
    permit = await provider.chain.permit(
        provider.people["consumer"], provider.chain.agreements.contract, terms.total, terms.deadline
    )
    call = create_lock_grant(terms, permit=permit, offer=bytes.fromhex(offer.signature[2:]))
    await provider.chain.transact(call, provider.people["consumer"])
    await provider.until_standing(id_of(provider, terms), Standing.GRANTED)
    noted = (await known(provider, id_of(provider, terms))).versions
    assert inputs_hash(tuple(noted.items())) == terms.inputs_hash


async def test_a_quote_names_every_registered_input_even_if_it_is_refused(provider: World) -> None:
    first, second = await provider.publish_dataset(), await provider.publish_dataset(policy={"algorithms": []})
    unknown = "did:nv:" + "ab" * 32
    quote = await provider.quote(await provider.simple_workflow(first, second, unknown))
    assert not quote.allowed
    assert [entry.did for entry in quote.inputs] == [first, second]
    assert quote.inputs_hash == inputs_hash([(entry.did, entry.checksum) for entry in quote.inputs])
