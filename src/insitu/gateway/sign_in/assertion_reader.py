"""Assertions: signed JWTs of a wallet (RFC 7523), with ES256K (RFC 8812) or a wallet's personal_sign."""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, read_address, read_agreement_id, read_execution_id
from insitu.domain.json_text import read_json
from insitu.domain.signatures import account_signature, complete_halves, es256k_digest, personal_digest
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.sign_in.sign_in import SignIn, require_prompt

MAX_ASSERTION = 8192
MAX_JTI = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionReader:
    """Reads assertions for this gateway. One whose ``aud`` is a list opens a session."""

    ports: GatewayPorts

    def read(self, assertion: str, now: datetime) -> SignIn:
        """Read an assertion. Raises ``InvalidToken``, ``TokenExpired``, ``AudienceMismatch``, ``SignatureMismatch``."""
        claims, account, digest, signature = _read(assertion)
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        expires = _time(claims.get("exp"))
        require_prompt(_time(claims.get("iat", 0)), expires, now)
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI:
            raise InsituError("InvalidToken", f"the assertion needs a jti of 1 to {MAX_JTI} characters")
        return SignIn(
            account=account,
            digest=digest,
            signature=signature,
            once=jti,
            expires=expires,
            operations=self.ports.configuration.operations(audiences),
            restrictions=_restrictions(claims),
            session=isinstance(audience, list),
        )


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
    return claims, address, digest, account_signature(signature.hex())


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
        restricted["did"] = str(Did.parse(claims["did"]))
    return restricted


def _json(part: str) -> dict[str, Any]:
    try:
        value = read_json(_decode(part))
    except (ValueError, RecursionError, InsituError):
        raise InsituError("InvalidToken", "the assertion is not a signed JWT") from None
    if not isinstance(value, dict):
        raise InsituError("InvalidToken", "the assertion is not a signed JWT")
    return value


def _decode(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InsituError("InvalidToken", "a part of the assertion is not base64url") from None
