"""Sessions in the gateway's memory: renewed by the one token that is current, and over when their time is."""

from datetime import timedelta

import anyio

from insitu.domain.ids import Address
from insitu.ports.agreement_records import WalletSession
from insitu.ports.agreements import Agreements
from tests.doubles.clock import START
from tests.ports.agreements.agreement_samples import CONSUMER, PROVIDER

IDLE = timedelta(minutes=30)


def session(name: str = "s1", account: Address = CONSUMER, minutes: int = 0) -> WalletSession:
    start = START + timedelta(minutes=minutes)
    return WalletSession(
        session_id=name,
        secret="first",
        account=account,
        operations=("compute", "exec"),
        restrictions={"agreement": "ab" * 32},
        digest="07" * 32,
        signature="08" * 4096,
        idle_until=start + IDLE,
        ends_at=start + timedelta(hours=12),
    )


def renewal(old: WalletSession, secret: str, minutes: int) -> WalletSession:
    return old.model_copy(update={"secret": secret, "idle_until": START + timedelta(minutes=minutes) + IDLE})


async def test_a_session_comes_back_until_it_was_idle_too_long(agreements: Agreements) -> None:
    await agreements.open_session(session(), START)
    assert await agreements.session("s1", START + IDLE) == session()
    assert await agreements.session("s1", START + IDLE + timedelta(seconds=1)) is None
    assert await agreements.session("s2", START) is None


async def test_the_current_token_renews_and_a_used_one_ends_it(agreements: Agreements) -> None:
    await agreements.open_session(session(), START)
    later = renewal(session(), "second", 20)
    assert await agreements.renew_session(later, "first")
    assert await agreements.session("s1", START + timedelta(minutes=45)) == later
    assert not await agreements.renew_session(renewal(later, "third", 21), "first")
    assert await agreements.session("s1", START) is None
    assert not await agreements.renew_session(renewal(later, "third", 21), "second")


async def test_of_many_renewals_at_once_one_succeeds(agreements: Agreements) -> None:
    await agreements.open_session(session(), START)
    outcomes: list[bool] = []

    async def renew(number: int) -> None:
        outcomes.append(await agreements.renew_session(renewal(session(), f"next-{number}", 1), "first"))

    async with anyio.create_task_group() as tasks:
        for number in range(6):
            tasks.start_soon(renew, number)
    assert sorted(outcomes) == [False] * 5 + [True]
    assert await agreements.session("s1", START) is None


async def test_a_session_that_ended_stays_ended(agreements: Agreements) -> None:
    await agreements.open_session(session(), START)
    await agreements.open_session(session("s2", PROVIDER), START)
    for _ in range(2):
        await agreements.end_session("s1")
    assert await agreements.session("s1", START) is None
    assert await agreements.session("s2", START) is not None


async def test_an_account_keeps_its_32_newest_sessions(agreements: Agreements) -> None:
    await agreements.open_session(session("other", PROVIDER), START)
    for number in range(35):
        await agreements.open_session(session(f"s{number}", minutes=number % 29), START)
    kept = [number for number in range(35) if await agreements.session(f"s{number}", START) is not None]
    assert len(kept) == 32
    assert 34 in kept, "the one just opened stays, whatever the clock says"
    assert await agreements.session("other", START) is not None
