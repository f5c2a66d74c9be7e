"""Killed anywhere between promise and confirmed transaction: one agreement, one payment, the right answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.domain.agreement import Terms
from insitu.domain.errors import InsituError
from insitu.domain.ledger import Call, create_and_lock
from insitu.domain.purchase import SignedPurchase
from insitu.ports.agreement_changes import Attach
from insitu.ports.agreement_records import Standing
from tests.gateway.purchases import code_of, created, id_of, offered_terms, post, signed, spent
from tests.gateway.test_nothing_is_lost_or_doubled import granted, nothing_left, until
from tests.gateway.world import World, approval, json_of, world

pytestmark = pytest.mark.needs("chain")


async def dies(*_: object) -> None:
    raise InsituError("ChainUnavailable", "killed here")


@pytest.fixture
def short_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests must not wait long for an outbox that has stopped."""
    monkeypatch.setattr("insitu.gateway.agreements.relayer.ANSWER_WITHIN", 0.2)


@asynccontextmanager
async def promised(chain: EmbeddedChain, folder: Path) -> AsyncIterator[tuple[World, SignedPurchase]]:
    """A gateway that accepted a purchase and was killed before its outbox did anything."""
    async with world(chain, folder) as first:
        terms, people = await offered_terms(first), first.people
    async with world(chain, folder, people=people, working=False) as accepting:
        purchase = await signed(accepting, terms)
        told = json_of(await post(accepting, purchase))
        assert (told["status"], told["transaction"]) == ("sent", None)
        yield accepting, purchase


async def require_one_agreement(provider: World, terms: Terms, paid_before: int) -> None:
    """Require one granted agreement that was paid once."""
    await provider.until_standing(id_of(provider, terms), Standing.GRANTED)
    assert [creation.terms.seed for creation in await created(provider)] == [terms.seed]
    assert await provider.chain.balance(terms.consumer) == paid_before - terms.total
    await until(lambda: nothing_left(provider))


@pytest.mark.slow
@pytest.mark.usefixtures("short_answers")
async def test_a_purchase_that_was_accepted_is_sent_after_the_restart(chain: EmbeddedChain, tmp_path: Path) -> None:
    async with promised(chain, tmp_path) as (accepting, purchase):
        people, held = accepting.people, await chain.balance(purchase.terms.consumer)
    async with world(chain, tmp_path, people=people) as again:
        assert (await post(again, purchase)).status_code == 202
        await require_one_agreement(again, purchase.terms, held)


@pytest.mark.parametrize("broken", ["sign", "broadcast", "outcome"])
@pytest.mark.usefixtures("short_answers")
async def test_a_gateway_that_is_killed_while_it_sends_goes_on(
    chain: EmbeddedChain, tmp_path: Path, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(chain, tmp_path) as first:
        people, terms = first.people, await offered_terms(first)
        held, purchase = await chain.balance(terms.consumer), await signed(first, terms)
        with monkeypatch.context() as patched:
            patched.setattr(chain, broken, dies)
            assert json_of(await post(first, purchase))["status"] in {"sent", "granted"}
    async with world(chain, tmp_path, people=people) as again:
        assert (await post(again, purchase)).status_code == 202
        await require_one_agreement(again, terms, held)


@pytest.mark.usefixtures("short_answers")
async def test_a_gateway_that_is_killed_before_it_stores_the_transaction_sends_another(
    chain: EmbeddedChain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(chain, tmp_path) as first:
        people, terms = first.people, await offered_terms(first)
        held, purchase = await chain.balance(terms.consumer), await signed(first, terms)
        apply = first.agreements.apply

        async def killed(changes: object) -> None:
            wanted = list(changes)  # type: ignore[call-overload]
            if any(isinstance(change, Attach) for change in wanted):
                raise InsituError("StorageFailed", "killed here")
            await apply(wanted)

        monkeypatch.setattr(first.agreements, "apply", killed)
        assert json_of(await post(first, purchase))["transaction"] is None
    async with world(chain, tmp_path, people=people) as again:
        await require_one_agreement(again, terms, held)


async def is_stored(provider: World, purchase: SignedPurchase) -> bool:
    """Ask again, as a client does: a busy gateway may answer before it has stored the transaction."""
    return json_of(await post(provider, purchase))["transaction"] is not None


@pytest.mark.usefixtures("short_answers")
async def test_a_nonce_used_by_someone_else_does_not_lose_the_purchase(
    chain: EmbeddedChain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(chain, tmp_path) as first:
        people, terms = first.people, await offered_terms(first)
        held, purchase = await chain.balance(terms.consumer), await signed(first, terms)
        with monkeypatch.context() as patched:
            patched.setattr(chain, "broadcast", dies)
            await until(lambda: is_stored(first, purchase))
    # Someone uses the gateway's key by hand and takes the nonce of the stored transaction.
    await chain.transact(approval(chain, 1), people["provider"])
    async with world(chain, tmp_path, people=people) as again:
        await require_one_agreement(again, terms, held)


@pytest.mark.usefixtures("short_answers")
async def test_a_purchase_that_someone_sends_between_promise_and_transaction_is_granted(
    chain: EmbeddedChain, tmp_path: Path
) -> None:
    async with promised(chain, tmp_path) as (accepting, purchase):
        people, held = accepting.people, await chain.balance(purchase.terms.consumer)
        assert purchase.permit is not None
        sent = create_and_lock(purchase.terms, bytes.fromhex(purchase.signature[2:]), purchase.permit.permit)
        await chain.transact(sent, people["stranger"])
        assert json_of(await post(accepting, purchase))["status"] == "locked"
    async with world(chain, tmp_path, people=people) as again:
        await require_one_agreement(again, purchase.terms, held)
        told = json_of(await post(again, purchase))
        assert told["status"] == "granted"
        mined = await chain.outcome(told["transaction"])
        assert mined is None or mined.ok


@pytest.mark.usefixtures("short_answers")
async def test_a_purchase_whose_money_is_gone_is_given_up_and_costs_nothing(
    chain: EmbeddedChain, tmp_path: Path
) -> None:
    async with promised(chain, tmp_path) as (accepting, purchase):
        people, terms = accepting.people, purchase.terms
        everything = await chain.balance(terms.consumer)
        give = Call("NeverminedToken", "transfer", (people["stranger"].address, everything))
        await chain.transact(give, people["consumer"])
        before = await spent(accepting)
    async with world(chain, tmp_path, people=people) as again:
        await again.until_standing(id_of(again, terms), Standing.CREATED)
        assert await code_of(again, purchase) == "InsufficientFunds"
        assert await spent(again) == before
        since = again.gateway.ports.clock.now().replace(year=2000)
        assert (await again.agreements.relayed(terms.consumer, since)).purchases == 0

        # With the money back, the same signatures are valid until the deadline.
        back = Call("NeverminedToken", "transfer", (terms.consumer, everything))
        await chain.transact(back, people["stranger"])
        assert (await post(again, purchase)).status_code == 202
        await require_one_agreement(again, terms, everything)


@pytest.mark.usefixtures("short_answers")
async def test_a_purchase_that_its_consumer_cancels_is_given_up(chain: EmbeddedChain, tmp_path: Path) -> None:
    async with promised(chain, tmp_path) as (accepting, purchase):
        people, terms = accepting.people, purchase.terms
        consumer = people["consumer"]
        create = Call("ServiceExecutionTemplate", "createAgreement", (terms.as_tuple(), b""))
        await chain.transact(create, consumer)
        await chain.transact(Call("ServiceExecutionTemplate", "cancel", (terms.as_tuple(),)), consumer)
        before = await spent(accepting)
        held = await chain.balance(terms.consumer)
    async with world(chain, tmp_path, people=people) as again:
        await again.until_standing(id_of(again, terms), Standing.CREATED)
        assert json_of(await post(again, purchase))["status"] == "refunded"
        assert (await spent(again), await chain.balance(terms.consumer)) == (before, held)


async def test_a_purchase_undone_by_a_reorganisation_is_sent_again(provider: World) -> None:
    terms = await offered_terms(provider)
    held, purchase = await provider.chain.balance(terms.consumer), await signed(provider, terms)
    await post(provider, purchase)
    await provider.until_standing(id_of(provider, terms), Standing.GRANTED)
    await provider.until_followed()
    await provider.chain.rpc("anvil_reorg", 1, [])
    await provider.chain.rpc("anvil_mine", 1)
    await until(lambda: granted(provider, id_of(provider, terms)))
    await require_one_agreement(provider, terms, held)
