"""How often a wallet asks its owner: every signature is one question (protocol, prompts)."""

from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from insitu.domain.ids import Address
from insitu.ports.keys import Signer
from insitu.sdk.client import Client
from tests.sdk.market import Market

pytestmark = [pytest.mark.needs("chain"), pytest.mark.slow]


class CountingSigner(Signer):
    """Counts what its owner would be asked."""

    def __init__(self, inner: Signer) -> None:
        self._inner = inner
        self.asked = 0

    @property
    @override
    def address(self) -> Address:
        return self._inner.address

    @override
    def sign_digest(self, digest: bytes) -> bytes:
        self.asked += 1
        return self._inner.sign_digest(digest)

    @override
    def sign_transaction(self, transaction: Any) -> bytes:
        self.asked += 1
        return self._inner.sign_transaction(transaction)


async def counting(provider: Market, who: str) -> tuple[Client, CountingSigner]:
    """A client that has signed in."""
    signer = CountingSigner(provider.world.people[who])
    provider.world.people[who] = signer  # type: ignore[assignment]
    client, _ = await provider.client(who)
    await client.gateway.executions()
    assert signer.asked == 1, "signing in asks once"
    signer.asked = 0
    return client, signer


async def penniless(provider: Market, who: str) -> None:
    await provider.world.chain.rpc("anvil_setBalance", provider.world.address(who), "0x0")


def script(folder: Path, text: str = "print('counting')\n") -> Path:
    path = folder / "count.py"
    path.write_text(text)
    return path


@pytest.mark.parametrize("coin", [True, False])
async def test_publishing_a_data_set_asks_once(provider: Market, coin: bool) -> None:
    owner, signer = await counting(provider, "owner")
    if not coin:
        await penniless(provider, "owner")
    did = await provider.dataset(owner)
    assert signer.asked == 1
    assert await owner.assets.owner(did) == owner.account


@pytest.mark.parametrize("coin", [True, False])
@pytest.mark.parametrize(("price", "questions"), [(10, 3), (0, 2)])
async def test_the_first_run_of_an_own_script_asks_three_times(
    provider: Market, tmp_path: Path, coin: bool, price: int, questions: int
) -> None:
    owner, _ = await provider.client("owner")
    free: dict[str, Any] = {"servers": [{**provider.world.configuration.servers[0], "price": "0"}]} if not price else {}
    did = await provider.dataset(owner, price=f"{price}", **free)
    consumer, signer = await counting(provider, "consumer")
    if not coin:
        await penniless(provider, "consumer")
    execution = await consumer.run(script(tmp_path), on=did)
    assert signer.asked == questions
    await execution.wait()
    assert signer.asked == questions


async def test_a_further_run_asks_nothing(provider: Market, tmp_path: Path) -> None:
    owner, _ = await provider.client("owner")
    did = await provider.dataset(owner)
    consumer, signer = await counting(provider, "consumer")
    execution = await consumer.run(script(tmp_path), on=did)
    await execution.wait()
    signer.asked = 0
    again = await consumer.compute.execute(execution.agreement_id)
    await again.wait()
    assert signer.asked == 0


@pytest.mark.parametrize("coin", [True, False])
async def test_a_new_version_asks_once(provider: Market, coin: bool) -> None:
    owner, signer = await counting(provider, "owner")
    did = await provider.dataset(owner)
    if not coin:
        await penniless(provider, "owner")
    signer.asked = 0
    await owner.assets.relist(did)
    assert signer.asked == 1
    record = await owner.chain.did_record(did)
    assert record is not None
    assert record.version == 2


async def test_an_account_with_coin_publishes_where_the_gateway_does_not_relay(provider: Market) -> None:
    object.__setattr__(provider.world.configuration, "relay", False)
    owner, signer = await counting(provider, "owner")
    await provider.dataset(owner)
    assert signer.asked == 2


async def test_an_account_with_coin_publishes_when_the_budget_of_strangers_is_used_up(provider: Market) -> None:
    object.__setattr__(provider.world.configuration, "relay_budget", 0)
    owner, signer = await counting(provider, "owner")
    did = await provider.dataset(owner)
    assert signer.asked == 2
    assert await owner.assets.owner(did) == owner.account


async def failed_run(provider: Market, folder: Path, **rules: Any) -> tuple[Client, CountingSigner, str]:
    """The consumer has bought and run a script with a typo."""
    owner, _ = await provider.client("owner")
    did = await provider.dataset(owner, "Flights", **{"revisions": "always", **rules})
    consumer, signer = await counting(provider, "consumer")
    execution = await consumer.run(script(folder, "print('countnig')\n"), on=did)
    await execution.wait()
    signer.asked = 0
    return consumer, signer, execution.agreement_id


async def versions_of(client: Client, agreement: str) -> list[int]:
    """Number of versions of the bought workflow, and of the algorithm that its newest version runs."""
    workflow = (await client.agreements.show(agreement)).workflow_did
    stage = (await client.assets.resolve(workflow)).main["workflow"]["stages"][0]
    return [len(await client.assets.versions(did)) for did in (workflow, stage["transformation"]["id"])]


@pytest.mark.parametrize("coin", [True, False])
async def test_a_revision_asks_once_and_the_same_again_asks_nothing(
    provider: Market, tmp_path: Path, coin: bool
) -> None:
    consumer, signer, agreement = await failed_run(provider, tmp_path)
    if not coin:
        await penniless(provider, "consumer")
    for number, text in enumerate(("print('countimg')\n", "print('counting')\n"), start=2):
        signer.asked = 0
        await (await consumer.revise(agreement, script(tmp_path, text))).wait()
        assert signer.asked == 1
        assert await versions_of(consumer, agreement) == [number, number]
    await (await consumer.revise(agreement, script(tmp_path, "print('counting')\n"))).wait()
    assert signer.asked == 1
    assert await versions_of(consumer, agreement) == [3, 3]


async def test_a_revision_with_a_published_algorithm_asks_once(provider: Market, tmp_path: Path) -> None:
    consumer, signer, agreement = await failed_run(provider, tmp_path)
    published = await consumer.assets.publish_algorithm("Count", {"other.py": "print('counting')\n"})
    signer.asked = 0
    await (await consumer.revise(agreement, published.did)).wait()
    assert signer.asked == 1
    assert await versions_of(consumer, agreement) == [2, 1]


async def test_where_the_gateway_sends_nothing_a_revision_is_one_signature_and_one_transaction(
    provider: Market, tmp_path: Path
) -> None:
    consumer, signer, agreement = await failed_run(provider, tmp_path)
    object.__setattr__(provider.world.configuration, "relay", False)
    await (await consumer.revise(agreement, script(tmp_path))).wait()
    assert signer.asked == 2
    assert await versions_of(consumer, agreement) == [2, 2]
