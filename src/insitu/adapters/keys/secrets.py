"""Symmetric keys of a gateway: for encrypted file lists, for access tokens, and between gateway and operator.

Each has its own file, mode 0600, created once; none is derived from another or from the chain key.
"""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from insitu.adapters.keys.private_files import alone_in, create_once, read_private, replace_private
from insitu.domain.errors import InsituError

_KEY_BYTES = 32


def service_key(path: Path) -> str:
    """Return the key that authenticates a gateway to its operator: 43 random url-safe characters, created once."""
    return _text_once(path)


def stored_password(path: Path) -> str:
    """Return the password for an unattended installation's key files: 43 random url-safe characters, created once.

    Anyone who can read this file and the key file has the key; only their owner can read them. In production the
    password comes from the environment's secret store instead.
    """
    return _text_once(path)


def _text_once(path: Path) -> str:
    text = create_once(path, lambda: secrets.token_urlsafe(_KEY_BYTES).encode() + b"\n").decode("ascii", "replace")
    if len(text.strip()) < 32:
        raise InsituError("KeyInvalid", f"{path} has fewer than 32 characters")
    return text.strip()


@dataclass(frozen=True, slots=True)
class VersionedKeys:
    """Keys of 32 bytes with version numbers: the newest one seals, and all of them open, so that keys can be rotated.

    Attributes
    ----------
    current
        The newest version.
    """

    current: int
    _keys: Mapping[int, bytes] = field(repr=False)

    @staticmethod
    def load(path: Path) -> "VersionedKeys":
        """Read the keys; create the file with version 1 if it is missing. Raises ``KeyInvalid``."""
        first = VersionedKeys(1, {1: secrets.token_bytes(_KEY_BYTES)})
        return _read_keys(create_once(path, first.encoded), path)

    @staticmethod
    def rotate(path: Path) -> "VersionedKeys":
        """Add a new key to an existing file and return all keys; the earlier ones stay, because they still open.

        Raises ``KeyNotFound``, ``KeyInvalid``, ``StorageFailed``.
        """
        path = path.resolve()
        with alone_in(path.parent):
            keys = _read_keys(read_private(path), path).with_new_key()
            replace_private(path, keys.encoded())
        return keys

    @property
    def newest(self) -> bytes:
        """The 32 bytes of the current version."""
        return self._keys[self.current]

    @property
    def versions(self) -> tuple[int, ...]:
        """The stored versions, newest first."""
        return tuple(sorted(self._keys, reverse=True))

    def key(self, version: int) -> bytes:
        """Return the 32 bytes of a version. Raises ``KeyNotFound``."""
        if version not in self._keys:
            raise InsituError("KeyNotFound", f"version {version} of this key is not stored")
        return self._keys[version]

    def with_new_key(self) -> "VersionedKeys":
        """Return these keys and a new one, which is now the newest."""
        version = self.versions[0] + 1
        return VersionedKeys(version, {**self._keys, version: secrets.token_bytes(_KEY_BYTES)})

    def encoded(self) -> bytes:
        """Return the content of the file, which contains the keys."""
        keys = {str(version): base64.b64encode(key).decode() for version, key in self._keys.items()}
        return (json.dumps({"current": self.current, "keys": keys}, indent=1) + "\n").encode()


def _read_keys(content: bytes, path: Path) -> VersionedKeys:
    try:
        document: dict[str, Any] = json.loads(content)
        keys = {int(version): base64.b64decode(key, validate=True) for version, key in document["keys"].items()}
        current = int(document["current"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InsituError("KeyInvalid", f"{path} is not a file of versioned keys") from None
    if current not in keys or any(len(key) != _KEY_BYTES for key in keys.values()):
        raise InsituError("KeyInvalid", f"{path} lacks its current key, or a key does not have {_KEY_BYTES} bytes")
    return VersionedKeys(current, keys)
