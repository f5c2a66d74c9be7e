"""Keys that sign. A key never leaves its adapter: not for a log, an error, a command line, or a pod."""

from typing import Protocol

from insitu.domain.ids import Address


class Signer(Protocol):
    """An account's key (secp256k1)."""

    @property
    def address(self) -> Address:
        """The account."""
        ...

    def sign_digest(self, digest: bytes) -> bytes:
        """Sign 32 bytes. Return 65 bytes r ‖ s ‖ v with low s and v in {27, 28}."""
        ...

    def sign_transaction(self, transaction: dict[str, object]) -> bytes:
        """Return the raw signed transaction, of an EIP-2718 type if it has one."""
        ...
