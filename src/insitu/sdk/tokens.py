"""Signing in at a gateway: assertions that the wallet signs (RFC 7523, RFC 8812), and the access tokens for them."""

import base64
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

import anyio

from insitu.api.gateway_v1 import BASE, JWT_BEARER, OPERATIONS, REFRESH, AccessToken
from insitu.domain.errors import InsituError, NotAllowed
from insitu.domain.ids import Address
from insitu.domain.signatures import es256k_digest, recover_address
from insitu.ports.keys import Signer
from insitu.sdk.http import Http

ASSERTION_SECONDS = 300
MARGIN = 30.0
"""Seconds before a token's end from which it is no longer used."""


def assertion(signer: Signer, audience: str | Sequence[str], now: int) -> str:
    """Return a signed JWT which says that this wallet signs in for these operations, once, now.

    Parameters
    ----------
    audience
        URLs of operations at the gateway that is called; another gateway cannot use the assertion. A sequence opens a
        session, a text is for one access token.
    now
        Seconds since 1970.
    """
    header = {"alg": "ES256K", "typ": "JWT"}
    claims: dict[str, str | int | list[str]] = {
        "iss": signer.address,
        "aud": audience if isinstance(audience, str) else list(audience),
        "iat": now,
        "exp": now + ASSERTION_SECONDS,
        "jti": secrets.token_urlsafe(24),
    }
    signed = f"{_part(header)}.{_part(claims)}"
    digest = es256k_digest(signed.encode())
    signature = signer.sign_digest(digest)
    return f"{signed}.{_base64url(_without_v(digest, signature, signer.address))}"


def _without_v(digest: bytes, signature: bytes, account: Address) -> bytes:
    """Return 64 bytes of a key's signature, as ES256K has them; that of a contract account as it is."""
    try:
        return signature[:64] if recover_address(digest, signature) == account else signature
    except InsituError:
        return signature


class Tokens:
    """The session of one wallet at one gateway: it signs once, for all operations, and again when the session is over.

    Parameters
    ----------
    url
        Address of the gateway, without the path of the API.
    """

    def __init__(self, http: Http, url: str, signer: Signer) -> None:
        self._http = http
        self._url = url
        self._signer = signer
        self._held: AccessToken | None = None
        self._until = 0.0
        self._asking = anyio.Lock()

    @property
    def account(self) -> Address:
        """The wallet's address."""
        return self._signer.address

    async def headers(self, *, fresh: bool = False) -> Mapping[str, str]:
        """Return the Authorization header. ``fresh`` asks for another token."""
        async with self._asking:
            if fresh or self._held is None or self._until < time.monotonic():
                self._held = await self._renew(self._held)
                self._until = time.monotonic() + self._held.expires_in - MARGIN
        return {"Authorization": f"Bearer {self._held.access_token}"}

    async def sign_out(self) -> None:
        """End the session, if there is one, and with it every access token."""
        async with self._asking:
            held, self._held = self._held, None
            if held is not None and held.refresh_token is not None:
                form = {"token": held.refresh_token}
                await self._http.call("POST", f"{self._url}{BASE}/oauth/revoke", form=form)

    async def _renew(self, held: AccessToken | None) -> AccessToken:
        """Renew the session, or let the wallet sign for a new one."""
        if held is not None and held.refresh_token is not None:
            with suppress(NotAllowed):
                return await self._ask(grant_type=REFRESH, refresh_token=held.refresh_token)
        audiences = [f"{self._url}{BASE}/{operation}" for operation in OPERATIONS]
        return await self._ask(grant_type=JWT_BEARER, assertion=assertion(self._signer, audiences, int(time.time())))

    async def _ask(self, **form: str) -> AccessToken:
        return await self._http.model(AccessToken, "POST", f"{self._url}{BASE}/oauth/token", form=form)


def _part(value: Mapping[str, object]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
