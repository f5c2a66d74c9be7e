"""A result is published no matter what others leave at the catalogue; if it cannot be, the execution ends."""

import secrets
from pathlib import Path
from typing import Any

import anyio
import pytest

from insitu.adapters.catalog.sqlite import SqliteCatalog
from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.clock import SystemClock
from insitu.adapters.keys.signer import LocalSigner
from insitu.domain.assembly import assemble_ddo
from insitu.domain.canonical import JsonObject
from insitu.domain.dsse import Envelope
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from insitu.domain.receipt import verify_receipt
from insitu.gateway.executions.execution_finder import Seen
from insitu.metadata.pools import PendingLimits
from insitu.metadata.service import MetadataService
from tests.gateway.world import PUBLIC_URL, RESULT, World, world

pytestmark = pytest.mark.needs("chain")

CREATED = "2026-01-02T03:04:05Z"
WALLETS = 10_000


class OfPenniless:
    """A chain that only knows wallets with one base unit of token."""

    def __init__(self, chain: EmbeddedChain) -> None:
        self.agreements = chain.agreements
        self.signed_by = chain.signed_by

    async def did_record(self, _: str) -> None:
        return None

    async def balance(self, _: str) -> int:
        return 1

    async def native_balance(self, _: str) -> int:
        return 0


def document_of_anybody(provider: World) -> JsonObject:
    wallet = LocalSigner(secrets.token_bytes(32))
    services = [
        provider._metadata({"type": "dataset", "name": "Spam", "files": [{"index": 0, "contentType": "text/csv"}]})
    ]
    unsigned = assemble_ddo(services, wallet.address, CREATED)
    return unsigned.signed(wallet.sign_digest(unsigned.digest)).to_json()


async def flood(provider: World, limits: PendingLimits, wallets: int) -> list[str]:
    """Each wallet publishes one document, from networks all over the world. Return the answers."""
    catalog = SqliteCatalog(provider.folder / "metadata.db")
    service = MetadataService(
        catalog=catalog,
        chain=OfPenniless(provider.chain),  # type: ignore[arg-type]
        clock=SystemClock(),
        public_url=PUBLIC_URL,
        confirmations=0,
        pending_lifetime=3600,
        page_size=100,
        limits=limits,
    )
    answers = []
    for number in range(wallets):
        network = f"10.{number % 250}.{number % 7}.0/24"
        try:
            document = document_of_anybody(provider)
            answers.append((await service.accept(document, without_compute=True, network=network)).state)
        except InsituError as error:
            answers.append(error.code)
    await catalog.close()
    return answers


async def published_in_order(provider: World) -> list[str]:
    """Buy, execute, and return what happened to the result, in order."""
    agreement = await provider.buy(await provider.simple_workflow(await provider.publish_dataset()))
    started = await provider.exec(agreement)
    execution_id = started.workflow_execution_id
    await provider.until_events(execution_id, "settled", "end")
    items = [await provider.agreements.item(f"{kind}:{execution_id}") for kind in ("publish", "register", "settle")]
    assert [item is not None and item.attempts for item in items] == [0, 0, 0], "each was done at the first attempt"
    return [event.type for event in await provider.agreements.events(execution_id) if event.type != "phase"]


async def test_a_paid_result_is_published_at_once_even_if_every_other_pool_is_full(provider: World) -> None:
    answers = await flood(provider, PendingLimits(strangers=50), 60)
    assert answers == ["pending"] * 50 + ["PendingPoolFull"] * 10
    assert await published_in_order(provider) == ["result", "settled", "end"]


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_ten_thousand_wallets_with_a_unit_of_token_each_do_not_delay_a_paid_result(provider: World) -> None:
    answers = await flood(provider, PendingLimits(), WALLETS)
    assert answers.count("pending") == 2_000
    assert answers.count("PendingPoolFull") == WALLETS - 2_000
    assert await published_in_order(provider) == ["result", "settled", "end"]


async def refuse(*_: Any) -> str:
    raise InsituError("PendingPoolFull", "2000 documents of strangers wait for the chain")


async def until_tried(provider: World, execution_id: str) -> None:
    """Wait until an attempt to publish has failed."""
    with anyio.fail_after(30):
        while (item := await provider.agreements.item(f"publish:{execution_id}")) is None or not item.attempts:  # noqa: ASYNC110
            await anyio.sleep(0.01)


async def test_a_result_that_waits_says_why(provider: World, monkeypatch: pytest.MonkeyPatch) -> None:
    agreement = await provider.buy(await provider.simple_workflow(await provider.publish_dataset()))
    monkeypatch.setattr(provider.metadata, "publish", refuse)
    execution_id = (await provider.exec(agreement)).workflow_execution_id
    await until_tried(provider, execution_id)
    seen = Seen(await provider.execution(execution_id), "consumer", provider.caller("consumer"))
    view = await provider.gateway.presenter.execution(seen)
    assert view.phase is Phase.PUBLISHING
    assert view.reason is not None
    assert view.reason.code == "PendingPoolFull"
    assert "Retry-After" in view.reason.next_step

    monkeypatch.undo()
    await provider.until_events(execution_id, "settled", "end")
    seen = Seen(await provider.execution(execution_id), "consumer", provider.caller("consumer"))
    view = await provider.gateway.presenter.execution(seen)
    assert (view.phase, view.reason) == (Phase.SUCCEEDED, None)


async def test_a_result_that_is_not_published_in_time_ends_the_execution_and_costs_nothing(
    chain: EmbeddedChain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("insitu.gateway.outbox.dispatcher.LEAST_TRIES", 1)
    async with world(chain, tmp_path, publish_deadline=0.0) as provider:
        provider.operator.runtime.script.update(await provider.output({"count.txt": RESULT}))
        agreement = await provider.buy(await provider.simple_workflow(await provider.publish_dataset()))
        before = await provider.balances()
        with monkeypatch.context() as patched:
            patched.setattr(provider.metadata, "publish", refuse)
            execution_id = (await provider.exec(agreement)).workflow_execution_id
            await provider.until_events(execution_id, "settled", "end")
        ended = await provider.execution(execution_id)
        assert (ended.phase, ended.charge, ended.registration) == (Phase.FAILED, 0, None)
        assert ended.frozen is not None
        assert ended.frozen.outcome.reason is not None
        assert ended.frozen.outcome.reason.code == "PublishingFailed"
        assert "PendingPoolFull" in ended.frozen.outcome.reason.message
        receipt = verify_receipt(Envelope.model_validate(ended.frozen.envelope))
        assert receipt.receipt_hash == ended.frozen.receipt_hash
        assert receipt.statement.predicate.stages[0].started_at is not None
        (settlement,) = await chain.find_settlements(agreement)
        assert settlement.receipt_hash == ended.frozen.receipt_hash
        assert await provider.balances() == before

        again = (await provider.exec(agreement)).workflow_execution_id
        await provider.until_events(again, "settled", "end")
        assert (await provider.execution(again)).charge == 13
