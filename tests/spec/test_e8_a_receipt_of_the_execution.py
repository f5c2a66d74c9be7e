"""E8. The OPERATOR retrieves a receipt demonstrating the execution; a figure that the infrastructure lacks says why."""

import pytest

from insitu.domain.errors import InsituError
from insitu.domain.execution import Charge
from tests.spec.conftest import Market


async def test_a_success_has_a_receipt_that_holds_offline_and_on_chain(market: Market) -> None:
    _, execution = await market.run()
    receipt = await execution.receipt()
    offline = await market.stranger.verify(receipt, on_chain=False)
    assert offline.signer == (await market.consumer.gateway.info()).provider_address
    proven = await market.stranger.verify(receipt)
    assert proven.receipt_hash == receipt.receipt_hash


async def test_it_states_agreement_images_algorithms_inputs_output_and_use(market: Market) -> None:
    agreement, execution = await market.run()
    statement = (await market.stranger.verify(await execution.receipt(), on_chain=False)).statement
    predicate = statement.predicate.model_dump(mode="json")
    assert predicate["agreement"]["serviceAgreementId"] == agreement.id
    text = str(predicate)
    for said in ("sha256:", execution.execution_id, "cpuSeconds", "peakMemoryBytes"):
        assert said in text


async def test_a_failure_has_a_receipt_too_and_charges_nothing_now(market: Market) -> None:
    _, execution = await market.run("raise SystemExit(1)\n")
    receipt = await execution.receipt()
    verified = await market.stranger.verify(receipt, on_chain=False)
    assert verified.statement.predicate.charge.rule is Charge.IF_NONE_SUCCEEDS
    # Whether it costs anything is decided if the agreement ends without a success.
    assert (await execution.status()).charge is None
    assert receipt.settlement is None


async def test_a_changed_receipt_is_not_believed(market: Market) -> None:
    _, execution = await market.run()
    receipt = await execution.receipt()
    forged = {**receipt.envelope, "payload": str(receipt.envelope["payload"])[:-8] + "AAAAAAA="}
    with pytest.raises(InsituError):
        await market.stranger.verify(receipt.model_copy(update={"envelope": forged}), on_chain=False)
