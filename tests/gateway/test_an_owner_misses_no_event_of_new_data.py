"""An owner's stream has every event, also of the first execution on a data set, whenever it begins."""

import pytest

from insitu.gateway.executions.execution_finder import ExecutionFinder
from insitu.gateway.sign_in.caller import Caller
from tests.gateway.world import World

pytestmark = pytest.mark.needs("chain")


async def test_an_execution_on_new_data_that_begins_while_a_stream_looks_is_not_missed(
    provider: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = [await provider.simple_workflow(await provider.publish_dataset()) for _ in range(2)]
    agreement, fresh = await provider.buy(first), await provider.buy(second)
    await provider.until_events((await provider.exec(agreement)).workflow_execution_id, "end")
    find, begun = ExecutionFinder._mine, list[str]()

    async def find_while_another_begins(finder: ExecutionFinder, caller: Caller) -> object:
        mine = await find(finder, caller)
        if not begun:
            begun.append((await provider.exec(fresh)).workflow_execution_id)
            await provider.until_events(begun[0], "end")
        return mine

    monkeypatch.setattr(ExecutionFinder, "_mine", find_while_another_begins)
    owner, reached, seen = provider.caller("owner", "compute"), 0, list[str]()
    while True:
        following, events = await provider.gateway.execution_finder.events(owner, reached)
        seen += [event.type for _, event in events if event.execution_id in begun]
        if following == reached:
            break
        reached = following
    assert seen == [event.type for event in await provider.agreements.events(begun[0])]
