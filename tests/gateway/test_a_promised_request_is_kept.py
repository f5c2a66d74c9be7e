"""Killed anywhere between promise and confirmed transaction: one registration, one transaction, the right answer."""

from pathlib import Path

import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.domain.errors import InsituError
from insitu.domain.ledger import transfer_ownership
from insitu.domain.signed_request import SignedRequest
from insitu.ports.agreement_changes import Attach
from tests.gateway.purchases import spent
from tests.gateway.registry_requests import batch, code_of, item, owner_of, post, signed, transfer
from tests.gateway.test_a_promised_purchase_is_kept import dies
from tests.gateway.test_nothing_is_lost_or_doubled import nothing_left, until
from tests.gateway.world import World, approval, json_of, world

pytestmark = pytest.mark.needs("chain")


@pytest.fixture(autouse=True)
def short_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests must not wait long for an outbox that has stopped."""
    monkeypatch.setattr("insitu.gateway.agreements.registry_relayer.ANSWER_WITHIN", 0.2)


async def two_assets(provider: World) -> SignedRequest:
    return signed(provider, await batch(provider, [item(provider), item(provider)]))


async def require_registered_once(provider: World, request: SignedRequest, transactions: int) -> None:
    """Require both assets, and no transaction more than these."""

    async def is_there() -> bool:
        return {await owner_of(provider, did) for did in request.dids} == {provider.address("owner")}

    await until(is_there)
    await until(lambda: nothing_left(provider))
    assert json_of(await post(provider, request))["status"] == "done"
    assert (await spent(provider)).transactions == transactions


async def test_a_request_that_was_accepted_is_sent_after_the_restart(chain: EmbeddedChain, tmp_path: Path) -> None:
    async with world(chain, tmp_path, working=False) as accepting:
        people, request, before = accepting.people, await two_assets(accepting), await spent(accepting)
        answer = json_of(await post(accepting, request))
        assert (answer["status"], answer["transaction"]) == ("sent", None)
    async with world(chain, tmp_path, people=people) as again:
        await require_registered_once(again, request, before.transactions + 1)


@pytest.mark.parametrize("broken", ["sign", "broadcast", "outcome"])
async def test_a_gateway_that_is_killed_while_it_sends_goes_on(
    chain: EmbeddedChain, tmp_path: Path, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(chain, tmp_path) as first:
        people, request, before = first.people, await two_assets(first), await spent(first)
        with monkeypatch.context() as patched:
            patched.setattr(chain, broken, dies)
            assert json_of(await post(first, request))["status"] in {"sent", "done"}
    async with world(chain, tmp_path, people=people) as again:
        assert (await post(again, request)).status_code == 202
        await require_registered_once(again, request, before.transactions + 1)


async def test_a_gateway_that_is_killed_before_it_stores_the_transaction_sends_another(
    chain: EmbeddedChain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(chain, tmp_path) as first:
        people, request, before = first.people, await two_assets(first), await spent(first)
        apply = first.agreements.apply

        async def killed(changes: object) -> None:
            wanted = list(changes)  # type: ignore[call-overload]
            if any(isinstance(change, Attach) for change in wanted):
                raise InsituError("StorageFailed", "killed here")
            await apply(wanted)

        monkeypatch.setattr(first.agreements, "apply", killed)
        assert json_of(await post(first, request))["transaction"] is None
    async with world(chain, tmp_path, people=people) as again:
        await require_registered_once(again, request, before.transactions + 1)


async def is_stored(provider: World, request: SignedRequest) -> bool:
    """Ask again, as a client does: a busy gateway may answer before it has stored the transaction."""
    return json_of(await post(provider, request))["transaction"] is not None


async def test_a_nonce_used_by_someone_else_does_not_lose_the_request(
    chain: EmbeddedChain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(chain, tmp_path) as first:
        people, request, before = first.people, await two_assets(first), await spent(first)
        with monkeypatch.context() as patched:
            patched.setattr(chain, "broadcast", dies)
            await until(lambda: is_stored(first, request))
    # Someone uses the gateway's key by hand and takes the nonce of the stored transaction.
    await chain.transact(approval(chain, 1), people["provider"])
    async with world(chain, tmp_path, people=people) as again:
        await require_registered_once(again, request, before.transactions + 2)


async def test_a_request_that_someone_sends_between_promise_and_transaction_is_done(
    chain: EmbeddedChain, tmp_path: Path
) -> None:
    async with world(chain, tmp_path, working=False) as accepting:
        people, request = accepting.people, await two_assets(accepting)
        await post(accepting, request)
        await chain.transact(request.call, people["stranger"])
        assert json_of(await post(accepting, request))["status"] == "done"
    async with world(chain, tmp_path, people=people) as again:
        await until(lambda: nothing_left(again))
        assert json_of(await post(again, request))["status"] == "done"


async def test_an_asset_that_is_sold_between_promise_and_transaction_is_not_called_done(
    chain: EmbeddedChain, tmp_path: Path
) -> None:
    async with world(chain, tmp_path, working=False) as accepting:
        people, request = accepting.people, await two_assets(accepting)
        await post(accepting, request)
        await chain.transact(request.call, people["stranger"])
        sold = transfer_ownership(bytes.fromhex(request.dids[0][-64:]), people["stranger"].address)
        await chain.transact(sold, people["owner"])
    async with world(chain, tmp_path, people=people) as again:
        await until(lambda: nothing_left(again))
        assert await code_of(again, request) == "DIDExists"
        assert await owner_of(again, request.dids[0]) == people["stranger"].address


async def test_a_request_that_comes_too_late_is_given_up_and_can_be_made_again(
    chain: EmbeddedChain, tmp_path: Path
) -> None:
    async with world(chain, tmp_path, working=False) as accepting:
        people = accepting.people
        did = await accepting.publish_dataset()
        request = signed(accepting, await transfer(accepting, did, people["stranger"].address))
        await post(accepting, request)
        since = accepting.gateway.ports.clock.now().replace(year=2000)
        assert (await accepting.agreements.relayed(people["owner"].address, since)).cost > 0
        await chain.transact(transfer_ownership(bytes.fromhex(did[-64:]), people["consumer"].address), people["owner"])
        before = await spent(accepting)
    async with world(chain, tmp_path, people=people) as again:
        await until(lambda: nothing_left(again))
        assert await code_of(again, request) == "SignatureMismatch"
        assert await spent(again) == before
        assert (await again.agreements.relayed(people["owner"].address, since)).cost == 0
