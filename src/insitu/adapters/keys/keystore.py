"""A folder of key files in the format of Web3 Secret Storage, version 3, which wallets export and import."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from insitu.adapters.keys.private_files import create_once, private_folder, read_private
from insitu.adapters.keys.signer import LocalSigner, load_account
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, read_address

STANDARD = 2**18
"""scrypt's work factor for keys that control money: each guess takes about a second and 256 MiB."""

LIGHT = 2**12
"""scrypt's work factor for development and for long random passwords: a few milliseconds."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_HEX_KEY = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key file: its name (without ``.json``), its account and its path, but not the key."""

    name: str
    address: Address
    path: Path


class Keystore:
    """Named key files in one folder, each locked by a password. Blocking; call it from a thread in services.

    Parameters
    ----------
    folder
        The folder; the first key creates it with mode 0700.
    work
        scrypt's work factor for new files, a power of two. Existing files have their own.
    """

    def __init__(self, folder: Path, work: int = STANDARD) -> None:
        self._folder = folder
        self._work = work

    def list(self) -> tuple[StoredKey, ...]:
        """Return the keys by name. Files that are not key files are left out."""
        found = []
        for path in sorted(self._folder.glob("*.json")):
            if _NAME.fullmatch(path.stem):
                address = _address_of(_parse(path))
                if address is not None:
                    found.append(StoredKey(path.stem, address, path))
        return tuple(found)

    def create(self, name: str, password: str) -> StoredKey:
        """Create a new random key. Raises ``KeyExists``, ``KeyNameInvalid``."""
        return self._store(name, _random_key(), password)

    def import_hex(self, name: str, key: str, password: str) -> StoredKey:
        """Store a key given as 64 hexadecimal digits. Raises ``KeyInvalid``, ``KeyExists``."""
        match = _HEX_KEY.fullmatch(key.strip())
        if match is None:
            raise InsituError("KeyInvalid", "a private key has 64 hexadecimal digits")
        return self._store(name, bytes.fromhex(match[1]), password)

    def import_file(self, name: str, file: Path, password: str) -> StoredKey:
        """Store the key of another wallet's key file, under the same password.

        Raises ``KeyNotFound``, ``KeyInvalid``, ``KeyPasswordWrong``, ``KeyExists``.
        """
        return self._store(name, _unlock(file, password), password)

    def find(self, name_or_address: str) -> StoredKey:
        """Return the key of this name or account. Raises ``KeyNotFound``."""
        wanted = name_or_address.lower()
        for key in self.list():
            if wanted in {key.name, key.address.lower()}:
                return key
        raise InsituError("KeyNotFound", f"no key in {self._folder} has the name or address {name_or_address[:80]!r}")

    def open(self, name_or_address: str, password: str) -> LocalSigner:
        """Unlock a key. Raises ``KeyNotFound``, ``KeyPasswordWrong``, ``KeyInvalid``."""
        return LocalSigner(_unlock(self.find(name_or_address).path, password))

    @staticmethod
    def open_file(path: Path, password: str) -> LocalSigner:
        """Unlock a key file that is not in the folder. Raises ``KeyNotFound``, ``KeyPasswordWrong``, ``KeyInvalid``."""
        return LocalSigner(_unlock(path, password))

    def open_or_create(self, name: str, password: str) -> LocalSigner:
        """Unlock a key; create it first if the name is free. Two processes at once get the same key."""
        path = self._path(name)
        if not path.exists():
            create_once(path, lambda: self._lock(_random_key(), password))
        return LocalSigner(_unlock(path, password))

    def _store(self, name: str, secret: bytes, password: str) -> StoredKey:
        path = self._path(name)
        private_folder(self._folder)
        content = self._lock(secret, password)
        if create_once(path, lambda: content) != content:
            raise InsituError("KeyExists", f"{self._folder} already has a key {name}")
        return StoredKey(name, LocalSigner(secret).address, path)

    def _lock(self, secret: bytes, password: str) -> bytes:
        LocalSigner(secret)  # an impossible key is refused before it is written
        document = load_account().encrypt(secret, password, kdf="scrypt", iterations=self._work)
        return (json.dumps(document, indent=1) + "\n").encode()

    def _path(self, name: str) -> Path:
        if _NAME.fullmatch(name) is None:
            raise InsituError("KeyNameInvalid", f"{name[:80]!r} is not a name for a key: use a-z, 0-9, '.', '_', '-'")
        return self._folder / f"{name}.json"


def _random_key() -> bytes:
    from coincurve import PrivateKey

    return PrivateKey().secret


def _parse(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(read_private(path))
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _address_of(document: dict[str, Any]) -> Address | None:
    try:
        return read_address("0x" + str(document["address"]).removeprefix("0x"))
    except (KeyError, InsituError):
        return None


def _unlock(path: Path, password: str) -> bytes:
    document = _parse(path)
    sealed = next((part for name, part in document.items() if name.lower() == "crypto"), None)
    if document.get("version") != 3 or not isinstance(sealed, dict):
        raise InsituError("KeyInvalid", f"{path} is not a key file of Web3 Secret Storage, version 3")
    if sealed.get("cipher") != "aes-128-ctr":
        # The library does not look, and would take the bytes that come out for a key.
        raise InsituError("KeyInvalid", f"{path} does not use the cipher aes-128-ctr")
    try:
        return bytes(load_account().decrypt(document, password))
    except ValueError:
        # A wrong password and a damaged file both fail the file's checksum (MAC).
        raise InsituError("KeyPasswordWrong", f"the password does not open {path}") from None
    except (KeyError, TypeError, NotImplementedError):
        raise InsituError("KeyInvalid", f"{path} lacks members of a key file") from None
