"""A consumer can make the preparation of an execution slow; what owners change meanwhile counts all the same."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from insitu.domain.errors import InsituError
from insitu.domain.ledger import Call
from insitu.gateway.executions.planner import Planner
from tests.gateway.versions import document, revise_main
from tests.gateway.world import World

pytestmark = pytest.mark.needs("chain")


async def tighten(provider: World, data: str) -> None:
    await revise_main(provider, "owner", data, 1, policy={"algorithms": "any", "consumers": []})


async def remove(provider: World, data: str) -> None:
    did = bytes((await document(provider, data)).did)
    call = Call("DIDRegistry", "removeDIDProvider", (did, provider.address("provider")))
    await provider.chain.transact(call, provider.people["owner"])


async def pause(provider: World, data: str) -> None:
    await provider.agreements.pause(data, stopping=False)


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (tighten, "InputsChangedMeanwhile"),
        (remove, "InputsChangedMeanwhile|AssetRetired|AgreementClosing"),  # the gateway also sees it on the chain
        (pause, "AssetRetired"),
    ],
)
async def test_what_an_owner_does_while_an_execution_is_prepared_counts(
    provider: World, monkeypatch: pytest.MonkeyPatch, act: Callable[[World, str], Awaitable[None]], code: str
) -> None:
    data = await provider.publish_dataset()
    agreement = await provider.buy(await provider.simple_workflow(data))
    real = Planner.draft

    async def slow(self: Planner, *arguments: Any) -> Any:
        draft = await real(self, *arguments)
        await act(provider, data)
        return draft

    monkeypatch.setattr(Planner, "draft", slow)
    with pytest.raises(InsituError, match=code):
        await provider.exec(agreement)
    assert not await provider.agreements.executions(agreement_id=agreement)
