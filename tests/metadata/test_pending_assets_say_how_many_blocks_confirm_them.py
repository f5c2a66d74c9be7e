"""How many blocks confirm what is pending, and how often that is asked."""

from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.keys.dev import dev_signer
from insitu.api.metadata_v1 import DDO
from tests.doubles.chain import ChainControls
from tests.metadata.documents import dataset, eventually, register, signed

pytestmark = pytest.mark.needs("chain")

ALICE = dev_signer("owner")


async def listed(catalogue: Any, did: str) -> None:
    status = (await catalogue.http.get(f"{DDO}/{did}/status", params={"wait": 20})).json()
    assert status["state"] == "listed"


@pytest.fixture
async def patient(make_catalogue: Callable[..., Any]) -> Any:
    """A catalogue that waits for three blocks."""
    made = make_catalogue(confirmations=3)
    await made.start()
    return made


async def test_what_is_pending_says_how_many_blocks_confirm_it(patient: Any, chain: EmbeddedChain) -> None:
    catalogue, controls = patient, ChainControls(chain)
    unsigned = dataset(chain, ALICE, "Confirmed")
    await catalogue.http.post(DDO, json=signed(unsigned, ALICE))

    async def status() -> tuple[str, int | None, int | None]:
        answer = (await catalogue.http.get(f"{DDO}/{unsigned.did}/status")).json()
        return answer["state"], answer.get("confirmed"), answer.get("confirmations")

    assert await status() == ("pending", None, None), "the chain does not know it"
    await register(chain, unsigned, ALICE)
    await controls.mine(1)

    async def has_one() -> bool:
        return await status() == ("pending", 1, 3)

    await eventually(has_one)
    await controls.mine(2)
    await listed(catalogue, str(unsigned.did))
    assert await status() == ("listed", None, None)


async def test_the_node_is_asked_about_what_is_pending_once_for_each_block(
    patient: Any, chain: EmbeddedChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue, controls = patient, ChainControls(chain)
    earlier = dataset(chain, ALICE, "Read before")
    await catalogue.http.post(DDO, json=signed(earlier, ALICE))
    await register(chain, earlier, ALICE)
    await controls.mine(3)
    await listed(catalogue, str(earlier.did))  # what tests before this one left on the chain is read
    unsigned = dataset(chain, ALICE, "Asked once")
    await catalogue.http.post(DDO, json=signed(unsigned, ALICE))
    await register(chain, unsigned, ALICE)
    asked, ask = list[str](), chain.did_record

    async def counted(did: str) -> Any:
        asked.append(did)
        await anyio.lowlevel.checkpoint()  # so that the others of a crowd come in between
        return await ask(did)

    monkeypatch.setattr(chain, "did_record", counted)

    async def crowd() -> set[int | None]:
        """Return what ten people are told who ask at the same moment, and ten more after them."""
        told = set[int | None]()

        async def look() -> None:
            told.add((await catalogue.http.get(f"{DDO}/{unsigned.did}/status")).json().get("confirmed"))

        for _ in range(2):
            async with anyio.create_task_group() as people:
                for _ in range(10):
                    people.start_soon(look)
        return told

    for confirmed in (1, 2):
        await controls.mine(1)

        async def has_read(wanted: int = confirmed) -> bool:
            return await crowd() == {wanted}

        await eventually(has_read)
        before = len(asked)
        assert await crowd() == {confirmed}
        assert len(asked) == before, "the answer for this block is known"
    assert len(asked) <= 4, "at the block before the registration, at its own, and at the two after it"
    await controls.mine(1)
    await listed(catalogue, str(unsigned.did))
