"""Encrypts lists of files and decrypts them. :mod:`insitu.domain.sealed_list` says what a text is bound to.

The public document has the sealed text in ``encryptedFiles``; its ``main.files`` keeps index, type, length and
checksum.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from insitu.domain.canonical import canonical_json
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.sealed_list import SealedList, associated_data, read_sealed_list, write_sealed_list
from insitu.domain.service import File
from insitu.gateway.configuration import Keyring

_NONCE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Encrypter:
    """Seals and opens lists of files with AES-256-GCM."""

    keyring: Keyring
    chain_id: int

    def seal(self, did: str, sealer: Address, files: Sequence[File]) -> str:
        """Seal a list for versions of ``did``, in the name of the account with whose rights its urls are opened."""
        newest = max(self.keyring.files, key=lambda key: key.version)
        nonce = secrets.token_bytes(_NONCE)
        text = canonical_json([file.to_json() for file in files])
        bound = associated_data(did, sealer, self.chain_id)
        return write_sealed_list(newest.version, sealer, nonce + AESGCM(newest.key).encrypt(nonce, text, bound))

    def open(self, text: object, did: str, creator: Address) -> tuple[Address, tuple[File, ...]]:
        """Return the sealer, and the files in ascending order of their indexes.

        Raises ``InputElsewhere`` when the list was not sealed here for this DID, or in the old form for its creator.
        """
        sealed = read_sealed_list(text, did, creator, self.chain_id)
        files = (File.read(file) for file in json.loads(self._decrypt(sealed)))
        return sealed.sealer, tuple(sorted(files, key=lambda file: file.index or 0))

    def _key(self, version: int) -> bytes:
        """Return the file key of this version. Raises ``KeyError``."""
        return {key.version: key.key for key in self.keyring.files}[version]

    def _decrypt(self, sealed: SealedList) -> bytes:
        try:
            cipher = AESGCM(self._key(sealed.key_version))
            return cipher.decrypt(sealed.payload[:_NONCE], sealed.payload[_NONCE:], sealed.associated)
        except (ValueError, KeyError, InvalidTag):
            raise InsituError(
                "InputElsewhere", "the list of files was not sealed by this gateway for this document"
            ) from None
