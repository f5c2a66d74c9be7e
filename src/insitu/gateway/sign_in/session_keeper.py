"""Sessions: a wallet signs once, and tokens are renewed for as long as it works (RFC 6749 §6, RFC 9700 §4.14).

A renewing token has two halves. The first is that of the session and the second is new in each token, so a token that
was used before is recognised: then two parties have it, and the session ends for both.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from insitu.domain.errors import InsituError
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.sign_in.sign_in import SignIn
from insitu.ports.agreement_records import WalletSession

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
MAX_TOKEN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionKeeper:
    """Opens, renews and ends sessions. The store has only hashes of their tokens."""

    ports: GatewayPorts

    async def open(self, sign_in: SignIn, now: datetime) -> tuple[WalletSession, str]:
        """Open a session for what a wallet has signed; return it with the token that renews it."""
        family, secret = secrets.token_urlsafe(24), secrets.token_urlsafe(32)
        session = WalletSession(
            session_id=_hash(family),
            secret=_hash(secret),
            account=sign_in.account,
            operations=sign_in.operations,
            restrictions=dict(sign_in.restrictions),
            digest=sign_in.digest.hex(),
            signature=sign_in.signature.hex(),
            idle_until=now + IDLE,
            ends_at=now + LONGEST,
        )
        await self.ports.agreements.open_session(session, now)
        return session, f"{family}.{secret}"

    async def renew(self, token: str, now: datetime) -> tuple[WalletSession, str]:
        """Use a renewing token, once; return the session with the next one. Nothing else changes.

        What the wallet signed is judged again: a contract account whose owners changed no longer accepts it. Raises
        ``InvalidToken``, ``TokenExpired``, ``TokenReused``, ``SignatureMismatch``, ``ChainUnavailable``.
        """
        family, spent = _halves(token)
        session = await self.ports.agreements.session(_hash(family), now)
        if session is None:
            raise InsituError("TokenExpired", "the session is over: sign in again")
        digest, signature = bytes.fromhex(session.digest), bytes.fromhex(session.signature)
        if not await self.ports.chain.signed_by(session.account, digest, signature):
            await self.ports.agreements.end_session(session.session_id)
            raise InsituError("SignatureMismatch", f"{session.account} no longer accepts what opened the session")
        secret = secrets.token_urlsafe(32)
        until = min(now + IDLE, session.ends_at)
        renewed = session.model_copy(update={"secret": _hash(secret), "idle_until": until})
        if not await self.ports.agreements.renew_session(renewed, _hash(spent)):
            raise InsituError("TokenReused", "the session's token was used before, so the session has ended")
        return renewed, f"{family}.{secret}"

    async def end(self, token: str) -> None:
        """Sign out with any token of the session, also a used one. A session that is unknown is no error."""
        family, _ = _halves(token)
        await self.ports.agreements.end_session(_hash(family))

    async def require(self, session_id: str, now: datetime) -> None:
        """Refuse an access token whose session is over. Raises ``TokenExpired``."""
        if await self.ports.agreements.session(session_id, now) is None:
            raise InsituError("TokenExpired", "the session is over: sign in again")


def _halves(token: str) -> tuple[str, str]:
    family, point, secret = token.partition(".")
    if not point or len(token) > MAX_TOKEN:
        raise InsituError("InvalidToken", "this is not the refresh_token of a session")
    return family, secret


def _hash(half: str) -> str:
    return sha256(half.encode()).hexdigest()
