"""C2. The CONSUMER generates a random serviceAgreementId; here it is the digest of terms that hold a random seed."""

import re

from insitu.domain.agreement import agreement_id
from insitu.domain.ids import new_seed
from tests.spec.conftest import Market


async def test_the_id_is_64_hexadecimal_digits_and_never_the_same(market: Market) -> None:
    workflow = await market.workflow()
    first = await market.consumer.agreements.buy(workflow.did)
    second = await market.consumer.agreements.buy(workflow.did)
    assert re.fullmatch(r"[0-9a-f]{64}", first.id)
    assert first.id != second.id


async def test_the_id_commits_to_every_term(market: Market) -> None:
    agreement = await market.buy()
    assert agreement.id == agreement_id(agreement.terms, market.consumer.chain.agreements)


async def test_a_purchase_that_is_repeated_with_its_seed_is_made_once(market: Market) -> None:
    workflow, seed = await market.workflow(), new_seed()
    before = (await market.consumer.balance()).base_units
    first = await market.consumer.agreements.buy(workflow.did, seed=seed)
    again = await market.consumer.agreements.buy(workflow.did, seed=seed)
    assert again.id == first.id
    assert before - (await market.consumer.balance()).base_units == first.terms.total
