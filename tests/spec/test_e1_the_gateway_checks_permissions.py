"""E1. The GATEWAY validates with checkPermissions that the CONSUMER has a grant that has not expired."""

import pytest

from insitu.api.gateway_v1 import ExecRequest
from insitu.domain.errors import InsituError
from insitu.domain.ids import new_seed
from tests.spec.conftest import Market


async def test_the_contract_says_who_may_execute_what(market: Market) -> None:
    agreement = await market.buy()
    chain, workflow = market.consumer.chain, agreement.terms.workflow_id
    assert await chain.check_permissions(agreement.terms, market.consumer.account, workflow)
    assert not await chain.check_permissions(agreement.terms, market.stranger.account, workflow)
    assert not await chain.check_permissions(agreement.terms, market.consumer.account, agreement.terms.did)


async def test_an_unknown_agreement_starts_nothing(market: Market) -> None:
    with pytest.raises(InsituError) as refused:
        await market.consumer.gateway.exec(_request(new_seed()), idempotency_key="unknown agreement")
    assert refused.value.code == "AgreementUnknown"


async def test_another_workflow_than_the_agreed_one_is_refused(market: Market) -> None:
    agreement = await market.buy()
    other = await market.workflow("print('another')\n")
    with pytest.raises(InsituError) as refused:
        await market.consumer.gateway.exec(_request(agreement.id, other.did), idempotency_key=new_seed())
    assert refused.value.code == "WorkflowMismatch"


def _request(agreement: str, workflow: str | None = None) -> ExecRequest:
    return ExecRequest(service_agreement_id=agreement, workflow_did=workflow)
