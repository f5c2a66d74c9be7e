"""Sessions: a wallet signs once; what it opened is renewed, and ends by time, by sign-out, or when it was stolen."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from insitu.api.gateway_v1 import JWT_BEARER, OPERATIONS, REFRESH, AccessToken, Operation
from insitu.domain.errors import InsituError
from insitu.domain.ids import read_address
from insitu.domain.signatures import personal_digest
from insitu.gateway.sign_in.authenticator import Authenticator
from tests.doubles.clock import ControlledClock
from tests.doubles.plain_accounts import PlainAccounts
from tests.gateway.wallets import AGREEMENT, WALLET, assertion, audience, gateway_for_wallets, message

READING: tuple[Operation, ...] = ("compute", "download")
SAFE = read_address("0x" + "5a" * 20)


@pytest.fixture
def clock() -> ControlledClock:
    return ControlledClock()


@pytest.fixture
def chain() -> PlainAccounts:
    return PlainAccounts()


@pytest.fixture
async def authenticator(tmp_path: Path, clock: ControlledClock, chain: PlainAccounts) -> AsyncIterator[Authenticator]:
    async with gateway_for_wallets(tmp_path, clock, chain) as opened:
        yield opened


async def session(
    authenticator: Authenticator, clock: ControlledClock, *operations: Operation, **claims: object
) -> AccessToken:
    audiences = [audience(operation) for operation in operations or READING]
    return await authenticator.grant(JWT_BEARER, assertion=assertion(clock, aud=audiences, **claims))


async def renewed(authenticator: Authenticator, held: AccessToken) -> AccessToken:
    assert held.refresh_token is not None
    return await authenticator.grant(REFRESH, refresh_token=held.refresh_token)


async def code_of(authenticator: Authenticator, held: AccessToken, *operations: Operation) -> str:
    """Return how a request with an access token ends: with an address, or with a code."""
    try:
        return (await authenticator.read(f"Bearer {held.access_token}", *(operations or ("compute",)))).address
    except InsituError as error:
        return error.code


def stored_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("gateway.db*"))


async def test_one_signature_opens_every_operation_that_it_names_and_no_other(
    authenticator: Authenticator, clock: ControlledClock
) -> None:
    held = await session(authenticator, clock, "compute", "exec")
    for operation in OPERATIONS:
        expected = WALLET.address if operation in ("compute", "exec") else "AudienceMismatch"
        assert await code_of(authenticator, held, operation) == expected


async def test_an_assertion_for_one_audience_opens_no_session(
    authenticator: Authenticator, clock: ControlledClock
) -> None:
    granted = await authenticator.grant(JWT_BEARER, assertion=assertion(clock))
    assert (granted.refresh_token, granted.refresh_expires_in) == (None, None)


@pytest.mark.parametrize("foreign", ["https://other.example/api/v1/gateway/services/compute", "*", ""])
async def test_an_assertion_for_two_gateways_is_refused_by_each(
    authenticator: Authenticator, clock: ControlledClock, foreign: str
) -> None:
    """Otherwise the first gateway could use at the second what the wallet signed for both."""
    for audiences in ([audience("compute"), foreign], [foreign, audience("compute")]):
        with pytest.raises(InsituError, match="AudienceMismatch"):
            await authenticator.grant(JWT_BEARER, assertion=assertion(clock, aud=audiences))


async def test_a_renewal_gives_the_next_tokens_and_adds_nothing(
    authenticator: Authenticator, clock: ControlledClock
) -> None:
    first = await session(authenticator, clock, agreement=AGREEMENT)
    clock.advance(500)
    second = await renewed(authenticator, first)
    assert second.access_token != first.access_token
    assert second.refresh_token != first.refresh_token
    assert await code_of(authenticator, second) == WALLET.address
    assert await code_of(authenticator, second, "exec") == "AudienceMismatch"
    caller = await authenticator.read(f"Bearer {second.access_token}", "compute")
    assert caller.agreement == AGREEMENT


async def test_a_used_token_ends_the_session_for_both_who_have_it(
    authenticator: Authenticator, clock: ControlledClock
) -> None:
    first = await session(authenticator, clock)
    second = await renewed(authenticator, first)
    with pytest.raises(InsituError, match="TokenReused"):
        await renewed(authenticator, first)
    with pytest.raises(InsituError, match="TokenExpired"):
        await renewed(authenticator, second)
    for held in (first, second):
        assert await code_of(authenticator, held) == "TokenExpired"


async def test_of_many_renewals_at_once_one_counts_and_the_session_ends(
    authenticator: Authenticator, clock: ControlledClock
) -> None:
    held, codes = await session(authenticator, clock), []

    async def renew() -> None:
        try:
            await renewed(authenticator, held)
            codes.append("renewed")
        except InsituError as error:
            codes.append(error.code)

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(renew)
    assert codes.count("renewed") == 1
    assert set(codes) <= {"renewed", "TokenReused", "TokenExpired"}
    assert await code_of(authenticator, held) == "TokenExpired"


async def test_an_idle_session_is_over_after_half_an_hour(authenticator: Authenticator, clock: ControlledClock) -> None:
    held = await session(authenticator, clock)
    assert held.refresh_expires_in == 1800
    clock.advance(1799)
    held = await renewed(authenticator, held)
    clock.advance(1801)
    with pytest.raises(InsituError, match="TokenExpired"):
        await renewed(authenticator, held)


async def test_a_busy_session_is_over_after_twelve_hours(authenticator: Authenticator, clock: ControlledClock) -> None:
    held = await session(authenticator, clock)
    for _ in range(28):
        clock.advance(1500)
        held = await renewed(authenticator, held)
    clock.advance(1100)  # 11 h 58 min 20 s
    held = await renewed(authenticator, held)
    assert (held.expires_in, held.refresh_expires_in) == (100, 100)
    clock.advance(101)
    assert await code_of(authenticator, held) == "TokenExpired"
    with pytest.raises(InsituError, match="TokenExpired"):
        await renewed(authenticator, held)


async def test_after_sign_out_no_token_of_the_session_is_accepted(
    authenticator: Authenticator, clock: ControlledClock
) -> None:
    """Also those that somebody stole before, and signing out works with a token that was used."""
    first = await session(authenticator, clock)
    second = await renewed(authenticator, first)
    other = await session(authenticator, clock, jti="j2")
    assert first.refresh_token is not None
    await authenticator.session_keeper.end(first.refresh_token)
    for held in (first, second):
        assert await code_of(authenticator, held) == "TokenExpired"
        with pytest.raises(InsituError, match="TokenExpired"):
            await renewed(authenticator, held)
    assert await code_of(authenticator, other) == WALLET.address
    await authenticator.session_keeper.end(first.refresh_token)


async def test_a_session_of_another_gateway_is_refused(
    authenticator: Authenticator, clock: ControlledClock, tmp_path: Path, chain: PlainAccounts
) -> None:
    held = await session(authenticator, clock)
    (tmp_path / "other").mkdir()
    url = "https://other.example"
    async with gateway_for_wallets(tmp_path / "other", clock, chain, public_url=url) as other:
        with pytest.raises(InsituError, match="TokenExpired"):
            await renewed(other, held)
        assert await code_of(other, held) == "AudienceMismatch"


@pytest.mark.parametrize("token", ["", ".", "x", "no-point", "a.b", "." * 300, "é.é"])
async def test_what_is_not_a_token_renews_and_ends_nothing(
    authenticator: Authenticator, clock: ControlledClock, token: str
) -> None:
    held = await session(authenticator, clock)
    with pytest.raises(InsituError, match=r"InvalidRequest|InvalidToken|TokenExpired"):
        await authenticator.grant(REFRESH, refresh_token=token)
    assert await code_of(authenticator, held) == WALLET.address


async def test_an_access_token_neither_renews_a_session_nor_names_its_secret(
    authenticator: Authenticator, clock: ControlledClock
) -> None:
    held = await session(authenticator, clock)
    with pytest.raises(InsituError, match=r"InvalidToken|TokenExpired"):
        await authenticator.grant(REFRESH, refresh_token=held.access_token[:150])
    assert await code_of(authenticator, held) == WALLET.address


async def test_the_store_has_no_token_in_it(
    authenticator: Authenticator, clock: ControlledClock, tmp_path: Path
) -> None:
    held = await session(authenticator, clock)
    stored = stored_bytes(tmp_path)
    assert held.refresh_token is not None
    for half in held.refresh_token.split("."):
        assert half.encode() not in stored
    assert held.access_token.encode() not in stored


async def test_a_contract_account_is_asked_again_at_each_renewal(
    authenticator: Authenticator, clock: ControlledClock, chain: PlainAccounts
) -> None:
    text = message(clock, address=SAFE).render()
    signature = b"\x07" * 130
    chain.contracts[SAFE] = {(personal_digest(text.encode()), signature)}
    form = {"message": text, "signature": "0x" + signature.hex()}
    held = await authenticator.grant("https://eips.ethereum.org/EIPS/eip-4361", **form)
    assert await code_of(authenticator, held) == SAFE
    held = await renewed(authenticator, held)
    chain.contracts[SAFE] = set()  # its owners have changed
    with pytest.raises(InsituError, match="SignatureMismatch"):
        await renewed(authenticator, held)
    assert await code_of(authenticator, held) == "TokenExpired"


async def test_an_account_has_32_sessions_and_one_more_ends_the_oldest(
    authenticator: Authenticator, clock: ControlledClock
) -> None:
    sessions = []
    for number in range(33):
        clock.advance(1)
        sessions.append(await session(authenticator, clock, jti=f"session-{number}"))
    assert [await code_of(authenticator, held) for held in sessions] == ["TokenExpired", *[WALLET.address] * 32]


@pytest.mark.parametrize("did", ["", "did:nv:12", "x" * 1000])
async def test_a_session_is_restricted_to_an_asset_only_by_its_did(
    authenticator: Authenticator, clock: ControlledClock, did: str
) -> None:
    with pytest.raises(InsituError, match="InvalidDid"):
        await session(authenticator, clock, did=did)
