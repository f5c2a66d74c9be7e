"""DSSE envelopes (Dead Simple Signing Envelope, v1.0.2) signed with an account's key.

The signature is 65 bytes r ‖ s ‖ v over Keccak-256 of the pre-authentication encoding; keyid is the address.
"""

import base64
import binascii

from pydantic import Field, ValidationError

from insitu.domain.canonical import keccak256, plain_json
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, read_address
from insitu.domain.signatures import recover_address, signature_bytes
from insitu.domain.wire import WireModel

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_PAYLOAD = 4 * 1024 * 1024


class EnvelopeSignature(WireModel):
    """A signature: ``keyid`` is the signer's address, ``sig`` the base64 of 65 bytes."""

    keyid: str
    sig: str


class Envelope(WireModel):
    """A signed payload. ``payload`` is the base64 of its exact bytes."""

    payload_type: str
    payload: str
    signatures: tuple[EnvelopeSignature, ...] = Field(min_length=1, max_length=16)

    def payload_bytes(self) -> bytes:
        """Return the exact bytes that are signed and hashed.

        Raises ``ReceiptInvalid`` if they are not base64 or too many.
        """
        if len(self.payload) > MAX_PAYLOAD * 4 // 3 + 4:
            raise InsituError("ReceiptInvalid", f"the payload is larger than {MAX_PAYLOAD} bytes")
        return _decode(self.payload)


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """Return the PAE of the DSSE specification: ``DSSEv1 <length> <type> <length> <payload>``."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def envelope_digest(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """Return the 32 bytes that the key signs."""
    return keccak256(pre_authentication_encoding(payload_type, payload))


def seal(payload: bytes, signature: bytes, signer: Address, payload_type: str = PAYLOAD_TYPE) -> Envelope:
    """Put a payload and the signature of its :func:`envelope_digest` into an envelope.

    Raises ``SignatureMismatch`` if this signer did not sign this payload.
    """
    if recover_address(envelope_digest(payload, payload_type), signature) != signer:
        raise InsituError("SignatureMismatch", f"the signature is not by {signer}")
    encoded = base64.b64encode(signature_bytes(signature)).decode("ascii")
    return Envelope(
        payload_type=payload_type,
        payload=base64.b64encode(payload).decode("ascii"),
        signatures=(EnvelopeSignature(keyid=signer, sig=encoded),),
    )


def read_envelope(value: object) -> Envelope:
    """Read an envelope from JSON. Raises ``ReceiptInvalid`` if it is none."""
    try:
        return Envelope.model_validate(plain_json(value))
    except (ValidationError, InsituError):
        raise InsituError("ReceiptInvalid", "this is not a DSSE envelope") from None


def envelope_signer(envelope: Envelope) -> Address:
    """Return the account that signed the envelope, which its keyid must name too.

    Raises ``ReceiptInvalid``.
    """
    digest = envelope_digest(envelope.payload_bytes(), envelope.payload_type)
    signature = envelope.signatures[0]
    try:
        signer, named = recover_address(digest, _decode(signature.sig)), read_address(signature.keyid)
    except InsituError as error:
        raise InsituError("ReceiptInvalid", error.detail) from None
    if signer != named:
        raise InsituError("ReceiptInvalid", f"signed by {signer}, not by {named}", actual=signer, expected=named)
    return signer


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raise InsituError("ReceiptInvalid", "a member of the envelope is not base64") from None
