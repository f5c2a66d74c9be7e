"""Sign-in: what a wallet's assertion is exchanged for, and every way in which one can be invalid."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.api.gateway_v1 import JWT_BEARER
from insitu.domain.errors import InsituError
from insitu.domain.ids import AgreementId, ExecutionId
from insitu.gateway.configuration import GatewayConfiguration
from insitu.gateway.sign_in.assertion_reader import _read
from insitu.gateway.sign_in.authenticator import Authenticator
from tests.doubles.clock import ControlledClock
from tests.doubles.plain_accounts import PlainAccounts
from tests.gateway.ports import ports_with
from tests.gateway.wallets import (
    AGREEMENT,
    EXECUTION,
    OTHER,
    URL,
    WALLET,
    assertion,
    audience,
    authenticator_of,
    gateway_for_wallets,
)


@pytest.fixture
def clock() -> ControlledClock:
    return ControlledClock()


@pytest.fixture
async def authenticator(tmp_path: Path, clock: ControlledClock) -> AsyncIterator[Authenticator]:
    async with gateway_for_wallets(tmp_path, clock, PlainAccounts()) as opened:
        yield opened


async def signed_in(authenticator: Authenticator, text: str) -> str:
    return "Bearer " + (await authenticator.grant(JWT_BEARER, assertion=text)).access_token


async def test_a_wallet_signs_in_for_one_operation(authenticator: Authenticator, clock: ControlledClock) -> None:
    granted = await authenticator.grant(JWT_BEARER, assertion=assertion(clock))
    assert (granted.token_type, granted.expires_in) == ("Bearer", 600)
    header = f"Bearer {granted.access_token}"
    caller = await authenticator.read(header, "compute")
    assert caller.address == WALLET.address
    assert caller.expires == clock.now() + timedelta(seconds=600)
    with pytest.raises(InsituError, match="AudienceMismatch"):
        await authenticator.read(header, "exec", "download")


@pytest.mark.parametrize("whole", [True, False])
async def test_a_browsers_wallet_signs_with_personal_sign(
    authenticator: Authenticator, clock: ControlledClock, whole: bool
) -> None:
    header = await signed_in(authenticator, assertion(clock, eths="personal", whole=whole))
    assert (await authenticator.read(header, "compute")).address == WALLET.address


async def test_a_token_for_one_execution_works_for_no_other(
    authenticator: Authenticator, clock: ControlledClock
) -> None:
    text = assertion(clock, agreement="0x" + AGREEMENT.upper(), execution=EXECUTION, did="did:nv:" + "1a" * 32)
    caller = await authenticator.read(await signed_in(authenticator, text), "compute")
    caller.require(AgreementId(AGREEMENT), ExecutionId(EXECUTION), "did:nv:" + "1a" * 32)
    for wrong in ({"agreement": "cd" * 32}, {"execution": "wx" + "b" * 26}, {"did": "did:nv:2"}):
        with pytest.raises(InsituError, match="AudienceMismatch"):
            caller.require(**wrong)  # type: ignore[arg-type]


async def test_names_of_older_clients_restrict_as_well(authenticator: Authenticator, clock: ControlledClock) -> None:
    text = assertion(clock, sub=AGREEMENT, execution_id=EXECUTION)
    caller = await authenticator.read(await signed_in(authenticator, text), "compute")
    assert (caller.agreement, caller.execution) == (AGREEMENT, EXECUTION)
    own = assertion(clock, sub=WALLET.address, jti="j2")
    assert (await authenticator.read(await signed_in(authenticator, own), "compute")).agreement is None


@pytest.mark.parametrize(
    ("code", "claims"),
    [
        ("SignatureMismatch", {"iss": OTHER.address}),
        ("InvalidId", {"iss": "nobody"}),
        ("InvalidToken", {"iss": None}),
        ("AudienceMismatch", {"aud": "https://elsewhere.example/api/v1/gateway/services/compute"}),
        ("AudienceMismatch", {"aud": audience("everything")}),
        ("AudienceMismatch", {"aud": None}),
        ("AudienceMismatch", {"aud": []}),
        ("AudienceMismatch", {"aud": [audience("compute"), audience("compute")]}),
        ("AudienceMismatch", {"aud": [audience("compute"), 7]}),
        ("AudienceMismatch", {"aud": {"compute": True}}),
        ("InvalidToken", {"exp": None}),
        ("InvalidToken", {"exp": "tomorrow"}),
        ("InvalidToken", {"exp": 10**30}),
        ("InvalidToken", {"exp": True}),
        ("TokenExpired", {"exp": 1}),
        ("InvalidToken", {"jti": None}),
        ("InvalidToken", {"jti": ""}),
        ("InvalidToken", {"jti": "x" * 129}),
        ("InvalidToken", {"eths": "other"}),
        ("InvalidId", {"agreement": "short"}),
        ("InvalidId", {"execution": "short"}),
    ],
)
async def test_an_invalid_assertion_is_refused(
    authenticator: Authenticator, clock: ControlledClock, code: str, claims: dict[str, Any]
) -> None:
    with pytest.raises(InsituError, match=code):
        await authenticator.grant(JWT_BEARER, assertion=assertion(clock, **claims))


async def test_an_assertion_is_valid_for_ten_minutes_at_most(
    authenticator: Authenticator, clock: ControlledClock
) -> None:
    now = int(clock.now().timestamp())
    await authenticator.grant(JWT_BEARER, assertion=assertion(clock, exp=now + 600))
    with pytest.raises(InsituError, match="InvalidToken"):
        await authenticator.grant(JWT_BEARER, assertion=assertion(clock, exp=now + 700, jti="j2"))
    with pytest.raises(InsituError, match="InvalidToken"):
        await authenticator.grant(JWT_BEARER, assertion=assertion(clock, iat=now + 120, jti="j3"))


async def test_an_assertion_can_be_used_once(authenticator: Authenticator, clock: ControlledClock) -> None:
    text = assertion(clock)
    await authenticator.grant(JWT_BEARER, assertion=text)
    with pytest.raises(InsituError, match="TokenReused"):
        await authenticator.grant(JWT_BEARER, assertion=text)


async def test_another_grant_type_or_algorithm_is_refused(authenticator: Authenticator, clock: ControlledClock) -> None:
    with pytest.raises(InsituError, match="InvalidRequest"):
        await authenticator.grant("password", assertion=assertion(clock))
    for header in ({"alg": "none"}, {"alg": "HS256"}, {}):
        with pytest.raises(InsituError, match="InvalidToken"):
            await authenticator.grant(JWT_BEARER, assertion=assertion(clock, header={"typ": "JWT", **header}))


async def test_an_access_token_ends_and_survives_the_change_of_its_key(
    authenticator: Authenticator, clock: ControlledClock
) -> None:
    clock.advance(3590 - int(clock.now().timestamp()) % 3600)
    header = await signed_in(authenticator, assertion(clock))
    clock.advance(300)
    assert (await authenticator.read(header, "compute")).address == WALLET.address
    clock.advance(300)
    with pytest.raises(InsituError, match="TokenExpired"):
        await authenticator.read(header, "compute")
    clock.advance(3 * 3600)
    with pytest.raises(InsituError, match="TokenExpired"):
        await authenticator.read(header, "compute")


async def test_a_token_lives_as_long_as_the_settings_say_across_the_change_of_keys(
    tmp_path: Path, clock: ControlledClock
) -> None:
    """It once was refused after 62 minutes, because its hour's key was gone."""
    async with gateway_for_wallets(tmp_path, clock, PlainAccounts(), token_lifetime=86_400) as authenticator:
        granted = await authenticator.grant(JWT_BEARER, assertion=assertion(clock))
        assert granted.expires_in == 86_400
        header = f"Bearer {granted.access_token}"
        for seconds in (62 * 60, 6 * 3600, 86_399 - 62 * 60 - 6 * 3600):
            clock.advance(seconds)
            assert (await authenticator.read(header, "compute")).address == WALLET.address
        clock.advance(1)
        with pytest.raises(InsituError, match="TokenExpired"):
            await authenticator.read(header, "compute")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer a.b.c", "Bearer " + "x" * 9000])
async def test_anything_but_a_token_is_refused(header: str | None, clock: ControlledClock) -> None:
    with pytest.raises(InsituError, match="InvalidToken"):
        await reader(clock).read(header, "compute")


async def test_a_token_of_another_gateway_is_refused(authenticator: Authenticator, clock: ControlledClock) -> None:
    header = await signed_in(authenticator, assertion(clock))
    with pytest.raises(InsituError, match="InvalidToken"):
        await reader(clock).read(header, "compute")


@given(st.text(max_size=300) | st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,90}"))
async def test_no_random_text_makes_the_reader_fail(text: str) -> None:
    with pytest.raises(InsituError):
        _read(text)
    with pytest.raises(InsituError):
        await reader(ControlledClock()).read(f"Bearer {text}", "compute")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=4))
def test_claims_of_any_type_are_refused_and_nothing_else(value: Any) -> None:
    clock = ControlledClock()
    for name in ("iss", "aud", "exp", "iat", "jti", "eths", "agreement", "execution", "did"):
        text = assertion(clock, **{name: value})
        try:
            _read(text)
        except InsituError as error:
            assert error.definition.status in (400, 401)


def reader(clock: ControlledClock) -> Authenticator:
    configuration = GatewayConfiguration(version="0", public_url=URL, metadata_url=URL)
    return authenticator_of(ports_with(configuration, clock=clock), b"o" * 32)
