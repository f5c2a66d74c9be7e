"""Messages of ERC-4361: from which page, for what, when, and in exactly one spelling."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.api.gateway_v1 import ERC_4361, AccessToken
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.sign_in_message import read_sign_in_message
from insitu.domain.wire import rfc3339
from insitu.gateway.sign_in.authenticator import Authenticator
from tests.doubles.clock import ControlledClock
from tests.doubles.plain_accounts import PlainAccounts
from tests.gateway.wallets import OTHER, WALLET, audience, gateway_for_wallets, message, signature_of

MARKETPLACES = ("https://market.example", "http://localhost:5173")


@pytest.fixture
def clock() -> ControlledClock:
    return ControlledClock()


@pytest.fixture
async def authenticator(tmp_path: Path, clock: ControlledClock) -> AsyncIterator[Authenticator]:
    async with gateway_for_wallets(tmp_path, clock, PlainAccounts(), marketplaces=MARKETPLACES) as opened:
        yield opened


async def sign_in(authenticator: Authenticator, text: str, signature: str | None = None) -> AccessToken:
    return await authenticator.grant(ERC_4361, message=text, signature=signature or signature_of(text))


@pytest.mark.parametrize(
    "page",
    [
        {"domain": "gateway.example"},
        {"domain": "gateway.example", "scheme": "https"},
        {"domain": "market.example"},
        {"domain": "localhost:5173", "scheme": "http"},
        {"statement": None},
        {"request_id": ""},
        {"request_id": "r-1", "not_before": "2029-12-31T00:00:00Z"},
        {"issued_at": "2029-12-31T23:59:00+00:00", "expiration_time": "2030-01-01T01:05:00.5+01:00"},
    ],
)
async def test_a_wallet_signs_in_on_the_gateways_page_or_on_a_marketplace_of_it(
    authenticator: Authenticator, clock: ControlledClock, page: dict[str, Any]
) -> None:
    granted = await sign_in(authenticator, message(clock, **page).render())
    assert granted.refresh_token is not None
    for operation in ("compute", "exec"):
        caller = await authenticator.read(f"Bearer {granted.access_token}", operation)  # type: ignore[arg-type]
        assert caller.address == WALLET.address
    with pytest.raises(InsituError, match="AudienceMismatch"):
        await authenticator.read(f"Bearer {granted.access_token}", "upload")


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("OriginNotAllowed", {"domain": "evil.example"}),
        ("OriginNotAllowed", {"domain": "gateway.example.evil.example"}),
        ("OriginNotAllowed", {"domain": "gateway.example:8443"}),
        ("OriginNotAllowed", {"domain": "GATEWAY.example"}),
        ("OriginNotAllowed", {"domain": "market.example", "scheme": "http"}),
        ("AudienceMismatch", {"uri": "https://other.example/api/v1/gateway/services/oauth/token"}),
        ("AudienceMismatch", {"uri": "https://gateway.example"}),
        ("AudienceMismatch", {"resources": ("https://other.example/api/v1/gateway/services/compute",)}),
        (
            "AudienceMismatch",
            {"resources": (audience("compute"), "https://other.example/api/v1/gateway/services/compute")},
        ),
        ("AudienceMismatch", {"resources": (audience("compute"), audience("compute"))}),
        ("InvalidToken", {"resources": ()}),
        ("InvalidToken", {"chain_id": 1}),
        ("InvalidToken", {"nonce": "short"}),
        ("InvalidToken", {"nonce": "n" * 129}),
        ("InvalidToken", {"issued_at": "2030-01-01T00:01:00Z"}),
        ("InvalidToken", {"issued_at": "2029-12-31T23:54:59Z"}),
        ("InvalidToken", {"expiration_time": "2030-01-01T00:11:00Z"}),
        ("InvalidToken", {"expiration_time": "2030-02-30T00:01:00Z"}),
        ("InvalidToken", {"not_before": "2030-01-01T00:02:00Z"}),
        ("TokenExpired", {"expiration_time": "2029-12-31T23:59:59Z", "issued_at": "2029-12-31T23:55:00Z"}),
        ("SignatureMismatch", {"address": OTHER.address}),
    ],
)
async def test_a_message_for_anything_else_is_refused(
    authenticator: Authenticator, clock: ControlledClock, code: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(InsituError, match=code):
        await sign_in(authenticator, message(clock, **changes).render())


SPELLINGS: dict[str, tuple[str, str]] = {
    "a line more": ("\n\nURI", "\n\n\nURI"),
    "a line at the end": ("/exec", "/exec\n"),
    "a line less": ("account:\n", "account:"),
    "carriage returns": ("\n", "\r\n"),
    "a space at the end of a line": ("Version: 1\n", "Version: 1 \n"),
    "another version": ("Version: 1", "Version: 2"),
    "a zero before the chain": ("Chain ID: 31337", "Chain ID: 031337"),
    "an address in small letters": (WALLET.address, WALLET.address.lower()),
    "an address in capitals": (WALLET.address, "0x" + WALLET.address[2:].upper()),
    "another order": ("Version: 1\nChain ID: 31337", "Chain ID: 31337\nVersion: 1"),
    "a field twice": ("Version: 1\n", "Version: 1\nVersion: 1\n"),
    "a name in small letters": ("Nonce:", "nonce:"),
    "no space after a name": ("Nonce: ", "Nonce:"),
    "a statement of two lines": ("hours.", "hours.\nAnd more."),
    "a statement that is not ASCII": ("hours", "höurs"),
    "a tab": ("wants you", "wants\tyou"),
    "digits of another script": ("Chain ID: 31337", "Chain ID: ٣١٣٣٧"),
    "a resource without a dash": ("\n- https", "\nhttps"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_another_spelling_is_refused_although_it_is_signed(
    authenticator: Authenticator, clock: ControlledClock, spelling: str
) -> None:
    before, after = SPELLINGS[spelling]
    text = message(clock).render()
    assert before in text
    with pytest.raises(InsituError, match="InvalidToken"):
        await sign_in(authenticator, text.replace(before, after))


async def test_a_message_is_good_once_and_only_with_its_own_signature(
    authenticator: Authenticator, clock: ControlledClock
) -> None:
    text = message(clock).render()
    other = message(clock, nonce="n9876543210").render()
    for signature in (signature_of(other), signature_of(text, OTHER), "0x", "0x" + "00" * 65, "0x" + "00" * 4097):
        with pytest.raises(InsituError, match="SignatureMismatch"):
            await sign_in(authenticator, text, signature)
    await sign_in(authenticator, text)
    with pytest.raises(InsituError, match="TokenReused"):
        await sign_in(authenticator, text)
    later = message(clock, expiration_time=rfc3339(clock.now() + timedelta(minutes=9))).render()
    with pytest.raises(InsituError, match="TokenReused"):
        await sign_in(authenticator, later)


async def test_a_message_is_good_for_ten_minutes_at_most(authenticator: Authenticator, clock: ControlledClock) -> None:
    text = message(clock, expiration_time=rfc3339(clock.now() + timedelta(minutes=10))).render()
    clock.advance(601)
    with pytest.raises(InsituError, match="TokenExpired"):
        await sign_in(authenticator, text)


async def test_a_field_that_is_missing_is_named(authenticator: Authenticator, clock: ControlledClock) -> None:
    with pytest.raises(InsituError, match="signature") as refused:
        await authenticator.grant(ERC_4361, message=message(clock).render())
    assert refused.value.code == "InvalidRequest"


times = st.datetimes().map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0"))
printable = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)


@given(
    st.fixed_dictionaries(
        {
            "scheme": st.none() | st.sampled_from(["http", "https"]),
            "domain": st.from_regex(r"[a-z0-9.-]{1,20}(:[0-9]{1,5})?", fullmatch=True),
            "address": st.binary(min_size=20, max_size=20).map(lambda raw: Address("0x" + raw.hex())),
            "statement": st.none() | st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1),
            "uri": printable,
            "chain_id": st.integers(0, 2**64 - 1),
            "nonce": st.from_regex(r"[A-Za-z0-9]{8,128}", fullmatch=True),
            "issued_at": times,
            "expiration_time": times,
            "not_before": st.none() | times,
            "request_id": st.none() | printable,
            "resources": st.lists(printable, min_size=1, max_size=4).map(tuple),
        }
    )
)
def test_what_a_message_says_is_read_back(fields: dict[str, Any]) -> None:
    from insitu.domain.ids import read_address

    made = message(ControlledClock(), **{**fields, "address": read_address(fields["address"])})
    assert read_sign_in_message(made.render()) == made


@given(st.text(max_size=400))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InsituError, match="InvalidToken"):
        read_sign_in_message(text)
