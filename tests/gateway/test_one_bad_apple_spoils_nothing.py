"""A defect in one document, item or worker must not stop the work for the others."""

import logging
from typing import Any

import anyio
import pytest

from insitu.gateway.service import _keep_working
from insitu.ports.agreement_records import Standing
from tests.gateway.world import World

pytestmark = pytest.mark.needs("chain")


async def test_an_agreement_that_cannot_be_judged_does_not_delay_other_grants(
    provider: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    data = await provider.publish_dataset()
    bad, good = await provider.simple_workflow(data), await provider.simple_workflow(data)
    bad_terms = provider.terms(await provider.quote(bad))
    real = provider.desk.ports.resolver.resolve

    async def broken(did: str, checksum: str | None = None) -> Any:
        if did == bad:
            raise ZeroDivisionError("a defect")
        return await real(did, checksum)

    monkeypatch.setattr(provider.desk.ports.resolver, "resolve", broken)
    with caplog.at_level(logging.CRITICAL):
        waiting = await provider.lock(bad_terms)
        await provider.buy(good)
    known = await provider.agreements.agreement(waiting)
    assert known is not None
    assert known.standing is Standing.CREATED


async def test_an_item_that_cannot_be_carried_out_waits_and_the_others_go_on(
    provider: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    agreement = await provider.buy(await provider.simple_workflow(await provider.publish_dataset()))
    other = await provider.buy(await provider.simple_workflow(await provider.publish_dataset()))
    publish = provider.metadata.publish
    spoilt: list[str] = []

    async def broken(document: Any) -> str:
        if not spoilt or document["id"] in spoilt:
            spoilt.append(document["id"])
            raise ZeroDivisionError("a defect")
        return await publish(document)

    with caplog.at_level(logging.CRITICAL), monkeypatch.context() as patched:
        patched.setattr(provider.metadata, "publish", broken)
        first = await provider.exec(agreement)
        await provider.operator.until(first.workflow_execution_id)
        second = await provider.exec(other)
        await provider.until_events(second.workflow_execution_id, "settled")
    await provider.until_events(first.workflow_execution_id, "settled")


async def test_a_worker_that_ends_is_restarted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    starts: list[int] = []
    enough = anyio.Event()

    class Fragile:
        async def run(self) -> None:
            starts.append(1)
            if len(starts) == 3:
                enough.set()
            raise ZeroDivisionError("a defect")

    monkeypatch.setattr("insitu.gateway.service.RESTART_PAUSE", 0.0)
    with caplog.at_level(logging.CRITICAL), anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(_keep_working, Fragile())
            await enough.wait()
            group.cancel_scope.cancel()
    assert len(starts) >= 3
