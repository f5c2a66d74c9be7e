"""A chain on which nobody has a contract account: who signed is what recovery finds."""

from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.signatures import recover_address

__all__ = ["PlainAccounts"]


class PlainAccounts:
    """Judges signatures as a chain does on which no account has code, and answers nothing else."""

    async def signed_by(self, account: Address, digest: bytes, signature: bytes) -> bool:
        """Return whether the account's key signed a digest."""
        try:
            return recover_address(digest, signature) == account
        except InsituError:
            return False
