"""Sealed lists of files: the text in a document, and which versions of which document may carry it (ADR 0095).

A document is public, and the owner of a DID can register any document under it. So the text names the account that had
it sealed, is bound to one DID, and counts only where that account put it or to whom it was handed over:

* ``insitu2.<key version>.<sealer>.<payload>``, with ``insitu2|<chain>|<did>|<sealer>`` as associated data;
* the older ``insitu1.<key version>.<payload>``, with ``<sealer>|<chain>``: the sealer is the DID's creator.

The sealer is written as 0x and 40 lower-case hexadecimal digits, the payload in base64url: 12 bytes of nonce, then the
ciphertext and tag of AES-256-GCM over the canonical JSON of the list.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from insitu.domain.canonical import JsonObject
from insitu.domain.ddo import Ddo
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, read_address

FORM = "insitu2"
OLD_FORM = "insitu1"
MAX_SEALED = 8 * 1024 * 1024
"""The most characters of a text that is read."""

_TEXT = re.compile(r"(insitu[12])\.(0|[1-9][0-9]{0,8})(?:\.(0x[0-9a-f]{40}))?\.([A-Za-z0-9_-]+={0,2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class SealedList:
    """The parts of a text. Nothing in it is proved until the payload opens with the associated data.

    Attributes
    ----------
    sealer
        The account for which the list was sealed, and whose rights its URLs have.
    payload
        12 bytes of nonce and the ciphertext.
    associated
        The associated data.
    """

    key_version: int
    sealer: Address
    payload: bytes
    associated: bytes


def write_sealed_list(key_version: int, sealer: Address, payload: bytes) -> str:
    """Return the text for ``encryptedFiles``."""
    return f"{FORM}.{key_version}.{sealer.lower()}.{base64.urlsafe_b64encode(payload).decode('ascii')}"


def associated_data(did: str, sealer: Address, chain_id: int) -> bytes:
    """Return what binds a list to one DID on one chain and to its sealer."""
    return f"{FORM}|{chain_id}|{did}|{sealer.lower()}".encode()


def read_sealed_list(text: object, did: str, creator: Address, chain_id: int) -> SealedList:
    """Parse a text, the ``encryptedFiles`` of the document with this DID. Raises ``InputElsewhere`` if it is not one.

    ``creator`` is the account from which the DID derives; it is the sealer of a text in the old form.
    """
    match = _TEXT.fullmatch(text) if isinstance(text, str) and len(text) <= MAX_SEALED else None
    payload = _decode(match[4]) if match is not None else None
    if match is None or payload is None or (match[1] == FORM) != (match[3] is not None):
        raise InsituError("InputElsewhere", f"the list of files in {did} was not sealed by this gateway")
    if match[1] == OLD_FORM:
        return SealedList(int(match[2]), creator, payload, f"{creator.lower()}|{chain_id}".encode())
    sealer = read_address(match[3])
    return SealedList(int(match[2]), sealer, payload, associated_data(did, sealer, chain_id))


def _decode(text: str) -> bytes | None:
    """Return the bytes, or None if the text is not their only spelling."""
    try:
        raw = base64.urlsafe_b64decode(text)
    except binascii.Error:
        return None
    return raw if base64.urlsafe_b64encode(raw).decode("ascii") == text else None


def sealed_text(ddo: Ddo) -> Any:
    """Return the document's ``encryptedFiles``; None if its list is public."""
    attributes = ddo.metadata.attributes if ddo.metadata is not None else None
    return attributes.encrypted_files if attributes is not None else None


def public_files(files: Iterable[JsonObject]) -> tuple[JsonObject, ...]:
    """Return the list in the form that may be public beside the sealed one: without URLs and names."""
    hidden = ("url", "name")
    return tuple({name: value for name, value in file.items() if name not in hidden} for file in files)


@dataclass(frozen=True, slots=True)
class ListedVersion:
    """A registered version of a DID, as far as its list is concerned.

    Attributes
    ----------
    number
        Counts from 1.
    registrant
        For version 1 the creator, from whom the DID derives; for any other version the owner in its event.
    text
        Something that identifies the sealed text: equal for two versions if their texts are, byte for byte.
    """

    number: int
    registrant: Address
    text: object


def may_carry(version: ListedVersion, text: object, sealer: Address) -> bool | None:
    """Return whether a version may carry a list; None means that the version before it must be asked.

    It may if the sealer put it there, or if the version before carried the same text. So a new owner keeps what was
    handed over, and nobody can bring back what was withdrawn.
    """
    if version.text != text:
        return False
    if version.registrant.lower() == sealer.lower():
        return True
    return False if version.number <= 1 else None
