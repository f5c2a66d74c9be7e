"""The keys of a test's gateway, all derived from one secret, so a test can derive them again."""

import hashlib
import hmac

from insitu.gateway.configuration import FileKey, Keyring


def derived_keyring(root: bytes) -> Keyring:
    """Derive all keys from one secret."""
    return Keyring((FileKey(1, _derived(root, "files/1")),), _derived(root, "tokens"), _derived(root, "tickets"))


def _derived(root: bytes, purpose: str) -> bytes:
    return hmac.new(root, b"insitu gateway " + purpose.encode(), hashlib.sha256).digest()
