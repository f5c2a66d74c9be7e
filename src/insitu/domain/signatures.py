"""Who signed: recovering addresses from secp256k1 signatures, and the digests that are signed.

Only this module recovers addresses. Signing needs a key, so the adapters of keys do it.
"""

import re

from insitu.domain.canonical import keccak256, sha256
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, read_address

MAX_SIGNATURE = 4096
"""Bytes of the longest signature of a contract account (ERC-1271)."""
_SIGNATURE = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{2})+)", re.ASCII)
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def recover_address(digest: bytes, signature: str | bytes) -> Address:
    """Return the account whose key signed a digest of 32 bytes.

    ``signature`` is r ‖ s ‖ v, 65 bytes or their hex with or without 0x; v is 0, 1, 27 or 28, and s is low (EIP-2).
    Raises ``SignatureMismatch`` if no key can have made it.
    """
    from eth_keys.datatypes import Signature
    from eth_keys.exceptions import BadSignature
    from eth_utils.exceptions import ValidationError

    raw = signature_bytes(signature)
    recovery_id = raw[64] - 27 if raw[64] >= 27 else raw[64]
    if recovery_id not in (0, 1) or int.from_bytes(raw[32:64], "big") > _HALF_ORDER:
        raise InsituError("SignatureMismatch", "the signature is not in its canonical form")
    try:
        key = Signature(raw[:64] + bytes([recovery_id])).recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValidationError, ValueError):
        raise InsituError("SignatureMismatch", "no key can have made this signature") from None
    return read_address(key.to_checksum_address())


def complete_halves(digest: bytes, halves: bytes, account: Address) -> bytes:
    """Return a signature without v (64 bytes r ‖ s, as in a JWT) with the v that recovers to the account.

    A high s is accepted and lowered, because ES256K (RFC 8812) does not forbid it. Raises ``SignatureMismatch`` if it
    does not have 64 bytes, or if the account's key did not make it.
    """
    if len(halves) != 64:
        raise InsituError("SignatureMismatch", "an ES256K signature has 64 bytes")
    r, s = halves[:32], int.from_bytes(halves[32:], "big")
    low = min(s, _ORDER - s) if 0 < s < _ORDER else s
    for v in (27, 28):
        signature = r + low.to_bytes(32, "big") + bytes([v])
        try:
            if recover_address(digest, signature) == account:
                return signature
        except InsituError:
            continue
    raise InsituError("SignatureMismatch", f"it is not signed by {account}")


_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def signature_bytes(signature: str | bytes) -> bytes:
    """Return the 65 bytes of a signature given as bytes or hex. Raises ``SignatureMismatch``."""
    raw = _read(signature)
    if len(raw) != 65:
        raise InsituError("SignatureMismatch", "a signature has 65 bytes")
    return raw


def account_signature(signature: str) -> bytes:
    """Return the bytes of a signature of any account, also of a contract (65 to 4,096 bytes), as it was written.

    Raises ``SignatureMismatch``.
    """
    raw = _read(signature)
    if not 65 <= len(raw) <= MAX_SIGNATURE:
        raise InsituError("SignatureMismatch", f"a signature has 65 to {MAX_SIGNATURE} bytes, in hexadecimal digits")
    return raw


def _read(signature: str | bytes) -> bytes:
    if isinstance(signature, bytes):
        return signature
    match = _SIGNATURE.fullmatch(signature)
    return bytes.fromhex(match[1]) if match else b""


def personal_digest(message: bytes) -> bytes:
    """Return the digest of personal_sign (EIP-191, version 0x45), which browser wallets sign for a text."""
    return keccak256(b"\x19Ethereum Signed Message:\n" + str(len(message)).encode() + message)


def es256k_digest(signing_input: bytes) -> bytes:
    """Return the digest of a JWT signed with ES256K (RFC 8812): SHA-256 of ``header.payload``."""
    return sha256(signing_input)
