"""``assets.set_listed`` and ``assets.hide``: signatures decide who finds an asset, and nothing else changes."""

import pytest

from insitu.domain.errors import InsituError
from tests.sdk.market import Market
from tests.sdk.test_buying_believes_only_what_the_documents_say import workflow_on

pytestmark = pytest.mark.needs("chain")


async def test_an_owner_lists_an_algorithm_and_takes_it_off_again(provider: Market) -> None:
    author, _ = await provider.client("consumer")
    other, _ = await provider.client("stranger")
    did = (await author.assets.publish_algorithm("Rarely", {"rarely.py": "print(1)"})).did
    assert (await author.assets.status(did)).state == "unlisted"
    assert (await other.assets.search("rarely")).total_results == 0
    found = await other.assets.search("rarely", owner=author.account)
    assert found.unlisted == (did,)

    with pytest.raises(InsituError, match="NotOwner"):
        await other.assets.set_listed(did, listed=True)
    assert (await author.assets.set_listed(did, listed=True)).state == "listed"
    assert (await other.assets.search("rarely")).total_results == 1
    assert (await author.assets.set_listed(did, listed=False)).state == "unlisted"
    assert (await other.assets.search("rarely")).total_results == 0


async def test_what_a_curator_hides_can_still_be_bought(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    curator, _ = await provider.client("provider")
    consumer, _ = await provider.client("consumer")
    did = await provider.dataset(owner, "Embarrassing")
    with pytest.raises(InsituError, match="NotCurator"):
        await owner.assets.hide(did, "mine")
    with pytest.raises(InsituError, match="InvalidRequest"):
        await curator.assets.hide(did, "")
    hidden = await curator.assets.hide(did, "names of patients")
    assert (hidden.state, hidden.reason) == ("hidden", "names of patients")
    assert (await owner.assets.set_listed(did, listed=True)).state == "hidden"
    assert (await owner.assets.search("embarrassing", owner=owner.account)).total_results == 0
    assert (await consumer.assets.status(did)).reason == "names of patients"
    assert (await consumer.agreements.check(await workflow_on(provider, consumer, did))).allowed

    (listed,) = (await owner.assets.curated("hidden")).results
    assert (listed.did, listed.reason, listed.curator) == (did, "names of patients", curator.account)
    assert (await curator.assets.unhide(did)).state == "listed"
    assert (await owner.assets.curated("hidden")).results == ()
    assert (await owner.assets.search("embarrassing")).total_results == 1


async def test_a_curator_features_with_a_reason_that_everybody_sees(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    curator, _ = await provider.client("provider")
    did = await provider.dataset(owner, "Exemplary")
    with pytest.raises(InsituError, match="NotCurator"):
        await owner.assets.feature(did, "mine")
    with pytest.raises(InsituError, match="InvalidRequest"):
        await curator.assets.feature(did, " ")
    assert (await curator.assets.feature(did, "well described")).featured == "well described"
    found = await owner.assets.curated("featured")
    assert [(asset.did, asset.reason) for asset in found.results] == [(did, "well described")]
    assert found.curators == (curator.account,)
    assert (await curator.assets.unfeature(did)).featured == ""
    assert (await owner.assets.curated("featured")).total_results == 0
    with pytest.raises(InsituError, match="InvalidRequest"):
        await owner.assets.curated("spam")  # type: ignore[arg-type] - what is not a decision
