"""What a wallet signed to sign in, in whichever form it came."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from insitu.api.gateway_v1 import Operation
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address

LONGEST = timedelta(minutes=10)
LEEWAY = timedelta(seconds=30)
"""How far the clock of a wallet and the gateway's may differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A sign-in that is well formed; whether the account signed it is still to be judged.

    Attributes
    ----------
    digest, signature
        What was signed, and the signature: 65 to 4,096 bytes.
    once
        What makes it usable once, among those of the account, until ``expires``.
    operations
        What it is for, by name.
    restrictions
        Ids to which it is restricted.
    session
        Whether it opens a session, or is for a single access token.
    """

    account: Address
    digest: bytes
    signature: bytes
    once: str
    expires: datetime
    operations: tuple[Operation, ...]
    restrictions: Mapping[str, str]
    session: bool


def require_prompt(issued: datetime, expires: datetime, now: datetime) -> None:
    """Refuse a sign-in that has ended, or that could be used for longer than ten minutes."""
    if expires <= now:
        raise InsituError("TokenExpired", "what the wallet signed has expired")
    if expires > now + LONGEST + LEEWAY or issued > now + LEEWAY:
        raise InsituError("InvalidToken", "a wallet signs in for at most 10 minutes from now")
