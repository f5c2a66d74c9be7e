"""Signing in at a gateway: assertions that the wallet signs (RFC 7523, RFC 8812), and the access tokens for them."""

import base64
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

import anyio

from insitu.api.gateway_v1 import BASE, JWT_BEARER, AccessToken, Operation
from insitu.domain.ids import Address
from insitu.domain.signatures import es256k_digest
from insitu.ports.keys import Signer
from insitu.sdk.http import Http

__all__ = ["Tokens", "assertion"]

ASSERTION_SECONDS = 300
MARGIN = 30.0
"""Seconds before a token's end from which it is no longer used."""


def assertion(signer: Signer, audience: str, now: int) -> str:
    """Return a signed JWT which says that this wallet asks for this operation, once, now.

    Parameters
    ----------
    audience
        URL of the operation at the gateway that is called; another gateway cannot use the assertion.
    now
        Seconds since 1970.
    """
    header = {"alg": "ES256K", "typ": "JWT"}
    claims: dict[str, str | int] = {
        "iss": signer.address,
        "aud": audience,
        "iat": now,
        "exp": now + ASSERTION_SECONDS,
        "jti": secrets.token_urlsafe(24),
    }
    signed = f"{_part(header)}.{_part(claims)}"
    signature = signer.sign_digest(es256k_digest(signed.encode()))
    return f"{signed}.{_base64url(signature[:64])}"


@dataclass(frozen=True, slots=True)
class _Held:
    token: str
    until: float


class Tokens:
    """The access tokens of one wallet at one gateway. Each is used until shortly before its end.

    Parameters
    ----------
    url
        Address of the gateway, without the path of the API.
    """

    def __init__(self, http: Http, url: str, signer: Signer) -> None:
        self._http = http
        self._url = url
        self._signer = signer
        self._held: dict[Operation, _Held] = {}
        self._asking = anyio.Lock()

    @property
    def account(self) -> Address:
        """The wallet's address."""
        return self._signer.address

    async def headers(self, operation: Operation, *, fresh: bool = False) -> Mapping[str, str]:
        """Return the Authorization header for an operation. ``fresh`` asks for another token."""
        async with self._asking:
            held = self._held.get(operation)
            if fresh or held is None or held.until < time.monotonic():
                held = await self._ask(operation)
                self._held[operation] = held
        return {"Authorization": f"Bearer {held.token}"}

    async def _ask(self, operation: Operation) -> _Held:
        audience = f"{self._url}{BASE}/{operation}"
        form = {
            "grant_type": JWT_BEARER,
            "assertion": assertion(self._signer, audience, int(time.time())),
        }
        granted = await self._http.model(AccessToken, "POST", f"{self._url}{BASE}/oauth/token", form=form)
        return _Held(granted.access_token, time.monotonic() + granted.expires_in - MARGIN)


def _part(value: Mapping[str, str | int]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
