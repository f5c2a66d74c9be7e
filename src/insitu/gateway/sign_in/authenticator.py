"""Sign-in with a wallet: a signed assertion (RFC 7523) is exchanged for an access token."""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import jwt

from insitu.api.gateway_v1 import JWT_BEARER, AccessToken, Operation
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, AgreementId, ExecutionId, read_address, read_agreement_id, read_execution_id
from insitu.domain.signatures import complete_halves, es256k_digest, personal_digest
from insitu.gateway.configuration import Keyring
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.sign_in.caller import Caller

__all__ = ["Authenticator"]

MAX_ASSERTION = 8192
MAX_JTI = 128
LONGEST_ASSERTION = timedelta(minutes=10)
LEEWAY = timedelta(seconds=30)
"""How far the clock of a wallet and the gateway's may differ."""
KEY_SECONDS = 3600
"""Every hour has its own key; a token of the hour before is still valid."""
OPERATIONS: tuple[Operation, ...] = get_args(Operation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticator:
    """Issues access tokens and reads them."""

    ports: GatewayPorts
    keyring: Keyring

    async def grant(self, grant_type: str, assertion: str) -> AccessToken:
        """Exchange an assertion for an access token. An assertion can be used once.

        Raises ``InvalidRequest`` for another grant type, ``InvalidToken``, ``TokenExpired``, ``TokenReused``,
        ``SignatureMismatch``, ``AudienceMismatch``.
        """
        if grant_type != JWT_BEARER:
            raise InsituError("InvalidRequest", f"grant_type must be {JWT_BEARER}", pointer="/grant_type")
        claims, issuer, digest, signature = _read(assertion)
        if not await self.ports.chain.signed_by(issuer, digest, signature):
            raise InsituError("SignatureMismatch", f"the assertion is not signed by {issuer}")
        now = self.ports.clock.now()
        operation = self._operation(claims.get("aud"))
        expires = _expiry(claims, now)
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI:
            raise InsituError("InvalidToken", f"the assertion needs a jti of 1 to {MAX_JTI} characters")
        restricted = _restrictions(claims)
        await self.ports.agreements.use_assertion(issuer, jti, expires, now)
        lifetime = self.ports.configuration.token_lifetime
        period = _period(now)
        token = jwt.encode(
            {
                "iss": self.ports.configuration.public_url,
                "sub": issuer,
                "aud": self.ports.configuration.audience(operation),
                "iat": int(now.timestamp()),
                "exp": int(now.timestamp()) + lifetime,
                **restricted,
            },
            self._key(period),
            algorithm="HS256",
            headers={"kid": str(period), "typ": "at+JWT"},
        )
        return AccessToken(access_token=token, expires_in=lifetime)

    def read(self, authorization: str | None, *operations: Operation) -> Caller:
        """Read the Authorization header of a request to one of these operations.

        Raises ``InvalidToken``, ``TokenExpired``, ``AudienceMismatch``.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token or len(token) > MAX_ASSERTION:
            raise InsituError("InvalidToken", "send Authorization: Bearer with a token of oauth/token")
        claims = self._claims(token.strip())
        operation = self._operation(claims.get("aud"))
        if operation not in operations:
            wanted = " or ".join(self.ports.configuration.audience(operation) for operation in operations)
            raise InsituError("AudienceMismatch", f"the token is for {claims.get('aud')}, but {wanted} is required")
        expires = datetime.fromtimestamp(claims["exp"], UTC)
        if self.ports.clock.now() >= expires:
            raise InsituError("TokenExpired")
        return Caller(
            address=read_address(claims["sub"]),
            operation=operation,
            expires=expires,
            agreement=AgreementId(claims["agreement"]) if "agreement" in claims else None,
            execution=ExecutionId(claims["execution"]) if "execution" in claims else None,
            did=claims.get("did"),
        )

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            kid = jwt.get_unverified_header(token).get("kid", "")
            present = _period(self.ports.clock.now())
            if kid not in {str(present), str(present - 1), str(present + 1)}:
                raise InsituError("TokenExpired", "the key of this token is no longer used")
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key(int(kid)),
                algorithms=["HS256"],
                # The caller compares the time with the gateway's clock, and the audience with the operation.
                options={
                    "require": ["exp", "sub", "aud"],
                    "verify_exp": False,
                    "verify_aud": False,
                    "verify_iat": False,
                },
            )
        except jwt.PyJWTError:
            raise InsituError("InvalidToken", "this gateway did not issue the access token") from None
        return claims

    def _operation(self, audience: object) -> Operation:
        for operation in OPERATIONS:
            if audience == self.ports.configuration.audience(operation):
                return operation
        expected = self.ports.configuration.audience(OPERATIONS[0])
        raise InsituError(
            "AudienceMismatch", f"aud must be the url of an operation of this gateway, such as {expected}"
        )

    def _key(self, period: int) -> bytes:
        return hmac.new(self.keyring.tokens, str(period).encode(), hashlib.sha256).digest()


def _period(now: datetime) -> int:
    return int(now.timestamp()) // KEY_SECONDS


def _read(assertion: str) -> tuple[dict[str, Any], Address, bytes, bytes]:
    """Return the claims of an assertion, its ``iss``, the digest (ES256K or personal_sign), and the signature."""
    parts = assertion.split(".")
    if len(assertion) > MAX_ASSERTION or len(parts) != 3:
        raise InsituError("InvalidToken", "the assertion is not a signed JWT")
    header, claims = _json(parts[0]), _json(parts[1])
    if header.get("alg") != "ES256K":
        raise InsituError("InvalidToken", "the assertion must be signed with ES256K")
    issuer = claims.get("iss")
    if not isinstance(issuer, str):
        raise InsituError("InvalidToken", "the assertion needs iss, the address of the wallet")
    address = read_address(issuer)
    signed = f"{parts[0]}.{parts[1]}".encode()
    if claims.get("eths") not in (None, "personal"):
        raise InsituError("InvalidToken", "eths is either absent or personal")
    digest = personal_digest(signed) if claims.get("eths") == "personal" else es256k_digest(signed)
    signature = _decode(parts[2])
    if len(signature) == 64:
        signature = complete_halves(digest, signature, address)
    return claims, address, digest, signature


def _expiry(claims: dict[str, Any], now: datetime) -> datetime:
    end, issued = _time(claims.get("exp")), _time(claims.get("iat", 0))
    if end <= now:
        raise InsituError("TokenExpired", "the assertion has expired")
    if end > now + LONGEST_ASSERTION + LEEWAY or issued > now + LEEWAY:
        raise InsituError("InvalidToken", "an assertion is valid for at most 10 minutes from now")
    return end


def _time(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**35:
        raise InsituError("InvalidToken", "exp and iat are seconds since 1970")
    return datetime.fromtimestamp(value, UTC)


def _restrictions(claims: dict[str, Any]) -> dict[str, str]:
    """Return the ids that restrict the token, under our names or those of older clients (``sub``, ``execution_id``)."""
    agreement = claims.get("agreement", claims.get("sub"))
    execution = claims.get("execution", claims.get("execution_id"))
    restricted: dict[str, str] = {}
    if isinstance(agreement, str) and agreement.lower() != str(claims.get("iss")).lower():
        restricted["agreement"] = read_agreement_id(agreement)
    if isinstance(execution, str):
        restricted["execution"] = read_execution_id(execution)
    if isinstance(claims.get("did"), str):
        restricted["did"] = claims["did"]
    return restricted


def _json(part: str) -> dict[str, Any]:
    try:
        value = json.loads(_decode(part))
    except (ValueError, RecursionError):
        raise InsituError("InvalidToken", "the assertion is not a signed JWT") from None
    if not isinstance(value, dict):
        raise InsituError("InvalidToken", "the assertion is not a signed JWT")
    return value


def _decode(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InsituError("InvalidToken", "a part of the assertion is not base64url") from None
