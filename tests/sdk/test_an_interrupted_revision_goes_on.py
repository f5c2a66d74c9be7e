"""A revision that was interrupted is finished by the same call, in another process, without a second signature."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from insitu.sdk.client import Client
from tests.sdk.market import Market
from tests.sdk.test_how_often_a_wallet_asks import CountingSigner, failed_run, script, versions_of

pytestmark = [pytest.mark.needs("chain"), pytest.mark.slow]

CORRECTED = "print('counting')\n"


class KilledError(Exception):
    """The client's process ends here."""


def killed(client: Client, part: str, call: str, *, on: int = 1, afterwards: bool = False) -> None:
    """Let the process end at a call of a neighbour: before it is made, or before its answer comes."""
    made, owner, calls = getattr(getattr(client, part), call), getattr(client, part), list[None]()

    async def dying(*arguments: Any, **named: Any) -> Any:
        calls.append(None)
        if len(calls) == on and not afterwards:
            raise KilledError
        answer = await made(*arguments, **named)
        if len(calls) == on:
            raise KilledError
        return answer

    setattr(owner, call, dying)


async def in_another_process(provider: Market, signer: CountingSigner) -> Client:
    client, _ = await provider.client("consumer")
    await client.gateway.executions()
    signer.asked = 0
    return client


Kill = Callable[[Client], None]

KILLS: dict[str, tuple[Kill, int]] = {
    "before the first document is sent": (lambda client: killed(client, "metadata", "update"), 1),
    "before the second document is sent": (lambda client: killed(client, "metadata", "update", on=2), 0),
    "before the request is sent": (lambda client: killed(client, "gateway", "relay_request"), 0),
    "before the answer to the request": (lambda client: killed(client, "gateway", "relay_request", afterwards=True), 0),
    "before the execution": (lambda client: killed(client, "gateway", "exec"), 0),
}
"""What happens, and how often the wallet is asked again: only if nothing of what it signed has left the process."""


@pytest.mark.parametrize("kill", KILLS)
@pytest.mark.parametrize("coin", ["coin", "no coin"])
async def test_what_was_signed_is_sent_as_it_is(provider: Market, tmp_path: Path, kill: str, coin: str) -> None:
    consumer, signer, agreement = await failed_run(provider, tmp_path)
    if coin == "no coin":
        await provider.world.chain.rpc("anvil_setBalance", consumer.account, "0x0")
    kills, asked = KILLS[kill]
    kills(consumer)
    with pytest.raises(KilledError):
        await consumer.revise(agreement, script(tmp_path, CORRECTED))
    assert signer.asked == 1
    again = await in_another_process(provider, signer)
    execution = await again.revise(agreement, script(tmp_path, CORRECTED))
    await execution.wait()
    assert signer.asked == asked
    assert await versions_of(again, agreement) == [2, 2]
    assert len(await again.compute.executions(agreement)) == 2


async def test_another_correction_takes_the_place_of_one_that_was_never_sent(provider: Market, tmp_path: Path) -> None:
    consumer, signer, agreement = await failed_run(provider, tmp_path)
    killed(consumer, "gateway", "relay_request")
    with pytest.raises(KilledError):
        await consumer.revise(agreement, script(tmp_path, "print('countimg')\n"))
    again = await in_another_process(provider, signer)
    await (await again.revise(agreement, script(tmp_path, CORRECTED))).wait()
    assert signer.asked == 1
    assert await versions_of(again, agreement) == [2, 2]


async def test_a_workflow_alone_goes_on_as_well(provider: Market, tmp_path: Path) -> None:
    consumer, signer, agreement = await failed_run(provider, tmp_path)
    killed(consumer, "gateway", "relay_request")
    corrected: dict[str, Any] = {"configuration": {"carrier": "UA"}}
    with pytest.raises(KilledError):
        await consumer.revise(agreement, tmp_path / "count.py", **corrected)
    again = await in_another_process(provider, signer)
    await (await again.revise(agreement, tmp_path / "count.py", **corrected)).wait()
    assert signer.asked == 0
    assert await versions_of(again, agreement) == [2, 1]


async def test_a_request_that_is_too_old_is_signed_anew(
    provider: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer, signer, agreement = await failed_run(provider, tmp_path)
    killed(consumer, "gateway", "relay_request")
    with monkeypatch.context() as patched:
        patched.setattr("insitu.sdk.registrations.VALID", 20)
        with pytest.raises(KilledError):
            await consumer.revise(agreement, script(tmp_path, CORRECTED))
    again = await in_another_process(provider, signer)
    await (await again.revise(agreement, script(tmp_path, CORRECTED))).wait()
    assert signer.asked == 1
    assert await versions_of(again, agreement) == [2, 2]


async def test_a_request_for_an_asset_that_was_given_away_is_left_alone(provider: Market, tmp_path: Path) -> None:
    consumer, signer, agreement = await failed_run(provider, tmp_path)
    killed(consumer, "gateway", "relay_request")
    with pytest.raises(KilledError):
        await consumer.revise(agreement, script(tmp_path, CORRECTED))
    again = await in_another_process(provider, signer)
    workflow = await again.assets.resolve((await again.agreements.show(agreement)).workflow_did)
    algorithm = workflow.main["workflow"]["stages"][0]["transformation"]["id"]
    owner, _ = await provider.client("owner")
    await again.assets.transfer(algorithm, owner.account)
    signer.asked = 0
    await (await again.revise(agreement, script(tmp_path, CORRECTED))).wait()
    assert signer.asked == 2  # for an algorithm of its own, and for the workflow


async def test_a_catalogue_names_no_version_that_this_account_did_not_sign(provider: Market, tmp_path: Path) -> None:
    """A pending version without our request is looked at, and left alone."""
    consumer, signer, agreement = await failed_run(provider, tmp_path)
    workflow = (await consumer.agreements.show(agreement)).workflow_did
    other = (await consumer.assets.version_of(workflow))["checksum"]
    status = consumer.metadata.status

    async def lying(did: str, **named: Any) -> Any:
        return (await status(did, **named)).model_copy(update={"pending": other})

    consumer.metadata.status = lying  # type: ignore[method-assign, assignment]
    await (await consumer.revise(agreement, script(tmp_path, CORRECTED))).wait()
    assert signer.asked == 1
