"""Sign-in with a wallet: what it signed is exchanged for an access token, and for a session if it asks for one."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from insitu.api.gateway_v1 import ERC_4361, JWT_BEARER, OPERATIONS, REFRESH, AccessToken, Operation
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, AgreementId, ExecutionId, read_address
from insitu.gateway.configuration import Keyring
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.sign_in.assertion_reader import MAX_ASSERTION, AssertionReader
from insitu.gateway.sign_in.caller import Caller
from insitu.gateway.sign_in.message_reader import MessageReader
from insitu.gateway.sign_in.session_keeper import SessionKeeper
from insitu.gateway.sign_in.sign_in import SignIn
from insitu.ports.agreement_records import WalletSession

KEY_SECONDS = 3600
"""Every hour has its own key, derived from the keyring's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticator:
    """Issues access tokens and reads them."""

    ports: GatewayPorts
    keyring: Keyring
    assertion_reader: AssertionReader
    message_reader: MessageReader
    session_keeper: SessionKeeper

    async def grant(self, grant_type: str, **fields: str) -> AccessToken:
        """Exchange an assertion, a message with its signature, or a session's token. Each can be used once.

        Raises ``InvalidRequest`` for another grant type or a missing field, ``InvalidToken``, ``TokenExpired``,
        ``TokenReused``, ``SignatureMismatch``, ``AudienceMismatch``, ``OriginNotAllowed``, ``ChainUnavailable``.
        """
        now = self.ports.clock.now()
        if grant_type == JWT_BEARER:
            return await self._admit(self.assertion_reader.read(_field(fields, "assertion"), now), now)
        if grant_type == ERC_4361:
            message, signature = _field(fields, "message"), _field(fields, "signature")
            return await self._admit(self.message_reader.read(message, signature, now), now)
        if grant_type == REFRESH:
            return self._of_session(*await self.session_keeper.renew(_field(fields, "refresh_token"), now), now)
        detail = f"grant_type must be {JWT_BEARER}, {ERC_4361} or {REFRESH}"
        raise InsituError("InvalidRequest", detail, pointer="/grant_type")

    async def read(self, authorization: str | None, *operations: Operation) -> Caller:
        """Read the Authorization header of a request to one of these operations.

        Raises ``InvalidToken``, ``TokenExpired``, ``AudienceMismatch``.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token or len(token) > MAX_ASSERTION:
            raise InsituError("InvalidToken", "send Authorization: Bearer with a token of oauth/token")
        claims, now = self._claims(token.strip()), self.ports.clock.now()
        audience = claims.get("aud")
        opened = self.ports.configuration.operations(audience if isinstance(audience, list) else [audience])
        operation = next((operation for operation in operations if operation in opened), None)
        if operation is None:
            wanted = " or ".join(self.ports.configuration.audience(operation) for operation in operations)
            raise InsituError("AudienceMismatch", f"the token is for {claims.get('aud')}, but {wanted} is required")
        expires = datetime.fromtimestamp(claims["exp"], UTC)
        if now >= expires:
            raise InsituError("TokenExpired")
        if "sid" in claims:
            await self.session_keeper.require(claims["sid"], now)
        return Caller(
            address=read_address(claims["sub"]),
            operation=operation,
            expires=expires,
            agreement=AgreementId(claims["agreement"]) if "agreement" in claims else None,
            execution=ExecutionId(claims["execution"]) if "execution" in claims else None,
            did=claims.get("did"),
        )

    async def _admit(self, sign_in: SignIn, now: datetime) -> AccessToken:
        """Judge who signed, and use up what was signed."""
        if not await self.ports.chain.signed_by(sign_in.account, sign_in.digest, sign_in.signature):
            raise InsituError("SignatureMismatch", f"it is not signed by {sign_in.account}")
        await self.ports.agreements.use_assertion(sign_in.account, sign_in.once, sign_in.expires, now)
        if sign_in.session:
            return self._of_session(*await self.session_keeper.open(sign_in, now), now)
        audience = self.ports.configuration.audience(sign_in.operations[0])
        lifetime = self.ports.configuration.token_lifetime
        token = self._issue(sign_in.account, audience, now, lifetime, **sign_in.restrictions)
        return AccessToken(access_token=token, expires_in=lifetime)

    def _of_session(self, session: WalletSession, refresh_token: str, now: datetime) -> AccessToken:
        """Return an access token that ends with its session, at the latest."""
        left = int((session.idle_until - now).total_seconds())
        lifetime = min(self.ports.configuration.token_lifetime, left)
        configuration = self.ports.configuration
        audiences = [configuration.audience(operation) for operation in OPERATIONS if operation in session.operations]
        token = self._issue(session.account, audiences, now, lifetime, sid=session.session_id, **session.restrictions)
        return AccessToken(
            access_token=token, expires_in=lifetime, refresh_token=refresh_token, refresh_expires_in=left
        )

    def _issue(self, account: Address, audience: str | list[str], now: datetime, lifetime: int, **more: str) -> str:
        period, issued = _period(now), int(now.timestamp())
        names = {"iss": self.ports.configuration.public_url, "sub": account, "aud": audience}
        claims = {**names, "iat": issued, "exp": issued + lifetime, **more}
        headers = {"kid": str(period), "typ": "at+JWT"}
        return jwt.encode(claims, self._key(period), algorithm="HS256", headers=headers)

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            kid = jwt.get_unverified_header(token).get("kid", "")
            now = self.ports.clock.now()
            oldest = _period(now - timedelta(seconds=self.ports.configuration.token_lifetime))
            if kid not in map(str, range(oldest, _period(now) + 2)):
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

    def _key(self, period: int) -> bytes:
        return hmac.new(self.keyring.tokens, str(period).encode(), hashlib.sha256).digest()


def _field(fields: dict[str, str], name: str) -> str:
    if not fields.get(name):
        raise InsituError("InvalidRequest", f"the field {name} is missing", pointer=f"/{name}")
    return fields[name]


def _period(now: datetime) -> int:
    return int(now.timestamp()) // KEY_SECONDS
