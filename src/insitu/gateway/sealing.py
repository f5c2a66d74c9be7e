"""Lists of files, sealed: only this gateway opens them, and only for documents of the creator they were sealed for.

The public document has the sealed text in ``encryptedFiles``; its ``main.files`` keeps index, type, length and
checksum (design §5, "Files of a data set").
"""

import base64
import binascii
import json
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import JsonValue

from insitu.domain.canonical import canonical_json
from insitu.domain.ddo import Ddo
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.integrity import creator_of
from insitu.domain.service import File
from insitu.gateway.configuration import Keyring

__all__ = ["Sealing"]

PREFIX = "insitu1"
MAX_SEALED = 8 * 1024 * 1024
_NONCE = 12


class Sealing:
    """Seals and opens lists of files with AES-256-GCM; the associated data are creator and chain."""

    def __init__(self, keyring: Keyring, chain_id: int) -> None:
        self._keys = {key.version: key.key for key in keyring.files}
        self._chain_id = chain_id

    def seal(self, creator: Address, files: Sequence[File]) -> str:
        """Return ``insitu1.<key version>.<base64url of nonce and ciphertext>``."""
        version = max(self._keys)
        nonce = secrets.token_bytes(_NONCE)
        text = canonical_json([file.to_json() for file in files])
        sealed = nonce + AESGCM(self._keys[version]).encrypt(nonce, text, self._context(creator))
        return f"{PREFIX}.{version}.{base64.urlsafe_b64encode(sealed).decode('ascii')}"

    def open(self, sealed: str, creator: Address) -> tuple[File, ...]:
        """Return the list in ascending index.

        Raises ``InputElsewhere`` where it was not sealed here for this creator.
        """
        try:
            prefix, version, payload = sealed.split(".")
            if prefix != PREFIX or len(sealed) > MAX_SEALED:
                raise ValueError(prefix)
            raw = base64.b64decode(payload, altchars=b"-_", validate=True)
            if base64.urlsafe_b64encode(raw).decode("ascii") != payload:
                raise ValueError("another spelling of the same bytes")
            text = AESGCM(self._keys[int(version)]).decrypt(raw[:_NONCE], raw[_NONCE:], self._context(creator))
        except (ValueError, KeyError, InvalidTag, binascii.Error):
            raise InsituError(
                "InputElsewhere", "the list of files was not sealed by this gateway for its creator"
            ) from None
        files = (File.read(one) for one in json.loads(text))
        return tuple(sorted(files, key=lambda file: file.index or 0))

    def files_of(self, ddo: Ddo) -> tuple[File, ...]:
        """Return the files of an asset with their urls, completed by what its public list says.

        Raises
        ------
        InsituError
            ``InputElsewhere``, ``InvalidDocument``; ``ChecksumMismatch`` where the DID does not derive from the
            creator that the document names.
        """
        creator = creator_of(ddo)
        public = {file.index or 0: file for file in _public(ddo)}
        sealed = ddo.metadata.attributes.encrypted_files if ddo.metadata and ddo.metadata.attributes else None
        if sealed is None:
            return tuple(file for _, file in sorted(public.items()))
        if not isinstance(sealed, str):
            raise InsituError("InputElsewhere", f"encryptedFiles of {ddo.id} is not of this gateway")
        return tuple(_completed(file, public.get(file.index or 0)) for file in self.open(sealed, creator))

    def _context(self, creator: Address) -> bytes:
        return f"{creator.lower()}|{self._chain_id}".encode()


def _public(ddo: Ddo) -> tuple[File, ...]:
    files = ddo.main.get("files")
    if not isinstance(files, list):
        return ()
    return tuple(File.read(one, f"/service/main/files/{position}") for position, one in enumerate(files))


def _completed(sealed: File, public: File | None) -> File:
    """The sealed list has name and url; what the DID commits to (checksum, length) is the public document's."""
    if public is None:
        return sealed
    told = {name: value for name, value in public.to_json().items() if name not in ("name", "url")}
    return File.read({"name": public.name, **sealed.to_json(), **told})


def public_files(files: Sequence[File]) -> tuple[dict[str, JsonValue], ...]:
    """Return the list as it may be public: no url and no name."""
    hidden = ("url", "name")
    return tuple({name: value for name, value in file.to_json().items() if name not in hidden} for file in files)
