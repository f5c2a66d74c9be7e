"""Sealed lists of files: the text in a document, and which versions of which document may carry it (ADR 0095).

A document is public, and whoever owns a DID registers any document under it. So the text names the account that had it
sealed, is bound to one DID, and counts only where that account put it, or where it was handed over:

* ``insitu2.<key version>.<sealer>.<payload>``, with ``insitu2|<chain>|<did>|<sealer>`` as associated data;
* ``insitu1.<key version>.<payload>``, of before, with ``<sealer>|<chain>``: the sealer is the DID's creator.

The sealer is written as 0x and 40 lower-case hexadecimal digits, the payload in base64url: 12 bytes of nonce, then the
ciphertext and tag of AES-256-GCM over the canonical JSON of the list.
"""

from __future__ import annotations

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
"""Characters of a text that is read."""

_TEXT = re.compile(r"(insitu[12])\.(0|[1-9][0-9]{0,8})(?:\.(0x[0-9a-f]{40}))?\.([A-Za-z0-9_-]+={0,2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class SealedList:
    """A text, taken apart; nothing of it is proved before the payload opens with the associated data.

    Attributes
    ----------
    sealer
        In whose name the list was sealed, and whose rights its urls have.
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
    """The text for `encryptedFiles`."""
    return f"{FORM}.{key_version}.{sealer.lower()}.{base64.urlsafe_b64encode(payload).decode('ascii')}"


def associated_data(did: str, sealer: Address, chain_id: int) -> bytes:
    """What binds a list to one DID of one chain and to its sealer."""
    return f"{FORM}|{chain_id}|{did}|{sealer.lower()}".encode()


def read_sealed_list(text: object, did: str, creator: Address, chain_id: int) -> SealedList:
    """Take a text apart.

    Args:
        text: `encryptedFiles` of a document.
        did: of that document.
        creator: the account from which the DID derives; the sealer of a text in the old form.
        chain_id: of the registry.

    Raises:
        InsituError: `InputElsewhere`, for what no gateway of ours has sealed.
    """
    match = _TEXT.fullmatch(text) if isinstance(text, str) and len(text) <= MAX_SEALED else None
    payload = _decoded(match[4]) if match is not None else None
    if match is None or payload is None or (match[1] == FORM) != (match[3] is not None):
        raise InsituError("InputElsewhere", f"the list of files in {did} was not sealed by this gateway")
    if match[1] == OLD_FORM:
        return SealedList(int(match[2]), creator, payload, f"{creator.lower()}|{chain_id}".encode())
    sealer = read_address(match[3])
    return SealedList(int(match[2]), sealer, payload, associated_data(did, sealer, chain_id))


def _decoded(text: str) -> bytes | None:
    """The bytes, unless this is another spelling of them."""
    try:
        raw = base64.urlsafe_b64decode(text)
    except binascii.Error:
        return None
    return raw if base64.urlsafe_b64encode(raw).decode("ascii") == text else None


def sealed_text(ddo: Ddo) -> Any:
    """The document's `encryptedFiles`; None where its list is public."""
    attributes = ddo.metadata.attributes if ddo.metadata is not None else None
    return attributes.encrypted_files if attributes is not None else None


def public_files(files: Iterable[JsonObject]) -> tuple[JsonObject, ...]:
    """The list as it may be public beside the sealed one: without urls and names."""
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
        The creator for version 1, since the DID derives from it; the owner in its event for every other one.
    text
        What stands for the sealed text: equal for two versions if the texts are, byte for byte.
    """

    number: int
    registrant: Address
    text: object


def may_carry(version: ListedVersion, text: object, sealer: Address) -> bool | None:
    """Whether a version may carry a list, asked of it and, as long as the answer is None, of the version before.

    Its sealer put it there; or the version before carried the same text. So a new owner keeps what was handed over,
    and nobody brings back what was withdrawn.
    """
    if version.text != text:
        return False
    if version.registrant.lower() == sealer.lower():
        return True
    return False if version.number <= 1 else None
