"""Signing in: a wallet is asked once for a session, which the client renews and, in the end, signs out of."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import httpx
import pytest

from insitu.api.gateway_v1 import BASE, ERC_4361, REFRESH
from insitu.domain.errors import InsituError
from insitu.domain.sign_in_message import SignInMessage
from insitu.domain.signatures import personal_digest
from insitu.domain.wire import rfc3339
from insitu.sdk.client import Client
from tests.gateway.world import PUBLIC_URL
from tests.sdk.market import Detour, Market

pytestmark = pytest.mark.needs("chain")


def grants(detour: Detour) -> list[str]:
    """The last word of each grant_type that was sent, in order."""
    forms = [parse_qs(request.content.decode()) for request in detour.seen if request.url.path.endswith("oauth/token")]
    return [form["grant_type"][0].rpartition(":")[2] for form in forms]


async def work(market: Market, client: Client) -> None:
    """What a data scientist does: publish, look, run, fetch; each needs another operation."""
    await market.dataset(client)
    gateway = client.gateway
    await gateway.executions()
    await gateway.upload(b"print(1)")
    with pytest.raises(InsituError, match="AssetNotFound"):
        async with gateway.download("did:nv:" + "ab" * 32, 0):
            pass


async def test_one_signature_is_enough_for_every_operation(provider: Market) -> None:
    client, detour = await provider.client("owner")
    await work(provider, client)
    assert grants(detour) == ["jwt-bearer"]


async def test_a_token_that_ends_is_renewed_without_the_wallet(provider: Market) -> None:
    object.__setattr__(provider.world.configuration, "token_lifetime", 20)  # shorter than the client's margin
    client, detour = await provider.client("owner")
    await work(provider, client)
    kinds = grants(detour)
    assert kinds[0] == "jwt-bearer"
    assert set(kinds[1:]) == {"refresh_token"}


async def test_the_wallet_is_asked_again_when_the_session_is_over(provider: Market) -> None:
    client, detour = await provider.client("owner")
    gateway = client.gateway
    await gateway.executions()
    await gateway.sign_out()
    await gateway.sign_out()
    await gateway.executions()
    assert grants(detour) == ["jwt-bearer", "jwt-bearer"]


async def test_a_stolen_token_is_worth_nothing_after_signing_out(provider: Market) -> None:
    client, detour = await provider.client("owner")
    gateway = client.gateway
    await gateway.executions()
    stolen = detour.seen[-1].headers["authorization"]
    http, address = provider.world.http, detour.seen[-1].url.path
    assert (await http.get(address, headers={"authorization": stolen})).status_code == 200
    await gateway.sign_out()
    refused = await http.get(address, headers={"authorization": stolen})
    assert (refused.status_code, refused.json()["code"]) == (401, "TokenExpired")


async def test_an_answer_with_tokens_is_stored_nowhere(provider: Market) -> None:
    client, detour = await provider.client("owner")
    answers: list[httpx.Response] = []

    def keep(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        answers.append(response)
        return response

    detour.answered = keep
    await client.gateway.executions()
    (token,) = [answer for answer in answers if answer.request.url.path.endswith("oauth/token")]
    assert token.headers["cache-control"] == "no-store"


async def test_a_browsers_wallet_signs_in_renews_and_signs_out_over_http(provider: Market) -> None:
    world = provider.world
    now, http = datetime.now(UTC), world.http
    text = SignInMessage(
        domain=PUBLIC_URL.partition("://")[2],
        address=world.address("owner"),
        uri=f"{PUBLIC_URL}{BASE}/oauth/token",
        chain_id=31337,
        nonce="abcdefgh12345678",
        issued_at=rfc3339(now),
        expiration_time=rfc3339(now + timedelta(minutes=5)),
        resources=(f"{PUBLIC_URL}{BASE}/compute",),
    ).render()
    signature = "0x" + world.people["owner"].sign_digest(personal_digest(text.encode())).hex()
    form = {"grant_type": ERC_4361, "message": text, "signature": signature}
    opened = (await http.post(f"{BASE}/oauth/token", data=form)).json()
    assert (await http.post(f"{BASE}/oauth/token", data=form)).json()["code"] == "TokenReused"
    renewal = {"grant_type": REFRESH, "refresh_token": opened["refresh_token"]}
    renewed = (await http.post(f"{BASE}/oauth/token", data=renewal)).json()
    headers = {"authorization": f"Bearer {renewed['access_token']}"}
    assert (await http.get(f"{BASE}/compute/executions", headers=headers)).status_code == 200
    out = await http.post(f"{BASE}/oauth/revoke", data={"token": renewed["refresh_token"]})
    assert out.status_code == 204
    assert (await http.get(f"{BASE}/compute/executions", headers=headers)).json()["code"] == "TokenExpired"
