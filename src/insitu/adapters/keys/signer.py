"""A signer that has its private key in this process's memory."""

import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn

from typing_extensions import override

from insitu.domain.canonical import keccak256
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, read_address

if TYPE_CHECKING:
    from coincurve import PrivateKey
    from eth_account import Account

_LOADING = threading.Lock()


class LocalSigner:
    """An account's key (secp256k1): the implementation of the ``Signer`` port behind every source of keys.

    No public attribute and no ``repr`` shows the key, and the object cannot be pickled, so the key does not get into a
    log by accident.

    Parameters
    ----------
    secret
        32 bytes, not zero and below the order of the curve. Raises ``KeyInvalid``.
    """

    __slots__ = ("_address", "_key")

    def __init__(self, secret: bytes) -> None:
        self._key = _private_key(secret)
        public = self._key.public_key.format(compressed=False)[1:]
        self._address = read_address("0x" + keccak256(public)[12:].hex())

    @property
    def address(self) -> Address:
        """The account."""
        return self._address

    def sign_digest(self, digest: bytes) -> bytes:
        """Sign 32 bytes: 65 bytes r ‖ s ‖ v with low s and v in {27, 28}."""
        if len(digest) != 32:
            raise ValueError("a digest has 32 bytes")
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([signature[64] + 27])

    def sign_transaction(self, transaction: dict[str, Any]) -> bytes:
        """Return the raw signed transaction, typed (EIP-2718) if it has a type."""
        return bytes(load_account().sign_transaction(transaction, self._key.secret).raw_transaction)

    @override
    def __repr__(self) -> str:
        return f"LocalSigner({self._address})"

    @override
    def __reduce__(self) -> NoReturn:
        raise TypeError("a key does not leave its process")


def _private_key(secret: bytes) -> "PrivateKey":
    from coincurve import PrivateKey

    if len(secret) != 32:
        raise InsituError("KeyInvalid", f"a private key has 32 bytes, not {len(secret)}")
    try:
        return PrivateKey(secret)
    except ValueError:
        # The library's message would contain the key; `from None` keeps it out of the traceback as well.
        raise InsituError("KeyInvalid", "the private key is zero or not below the order of the curve") from None


def load_account() -> "type[Account]":
    """Return eth-account's entry point, loaded when it is needed.

    It loads py_ecc, which raises the limit of nested calls to 100,000. With that, a JSON document of as many brackets
    would overflow the stack of the parser, so the limit is restored.
    """
    with _LOADING:
        limit = sys.getrecursionlimit()
        from eth_account import Account

        sys.setrecursionlimit(limit)
        return Account
