"""Sessions in the gateway's memory: renewed by the one token that is current, and over when their time is."""

from datetime import timedelta

import anyio
import pytest

from insitu.adapters.agreements import sessions
from insitu.domain.errors import InsituError
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


async def test_all_accounts_together_have_a_limit_that_time_frees(
    agreements: Agreements, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST_OF_ALL", 3)
    accounts = [Address(f"0x{number:040x}") for number in range(1, 5)]
    for number in range(3):
        await agreements.open_session(session(f"s{number}", accounts[number], minutes=number), START)
    with pytest.raises(InsituError) as refused:
        await agreements.open_session(session("more", accounts[3]), START + timedelta(minutes=20))
    assert (refused.value.code, refused.value.context["retryAfter"]) == ("RequestFrequencyExceeded", 600)
    assert await agreements.session("more", START) is None
    assert await agreements.session("s0", START) is not None, "nobody else's session ends for it"
    await agreements.open_session(session("more", accounts[3], minutes=31), START + timedelta(minutes=31))


async def test_what_was_used_stays_used_shortly_after_it_expired(agreements: Agreements) -> None:
    """Two requests can read it before it expires; then the second is judged, and stored, after it has expired."""
    expires = START + timedelta(minutes=5)
    await agreements.use_assertion(CONSUMER, "j1", expires, START)
    await agreements.use_assertion(CONSUMER, "j2", START + timedelta(hours=1), expires + timedelta(seconds=59))
    with pytest.raises(InsituError, match="TokenReused"):
        await agreements.use_assertion(CONSUMER, "j1", expires, expires - timedelta(seconds=1))
    await agreements.use_assertion(CONSUMER, "j3", START + timedelta(hours=1), expires + timedelta(seconds=61))
    await agreements.use_assertion(CONSUMER, "j1", expires, expires - timedelta(seconds=1))
