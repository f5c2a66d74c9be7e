"""A chain without a node: who signed is what recovery finds, except for contract accounts that a test names."""

from dataclasses import dataclass, field

from insitu.domain.agreement import AgreementDomain
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.signatures import recover_address

__all__ = ["PlainAccounts"]


@dataclass
class PlainAccounts:
    """Judges signatures as a chain does, and answers nothing else.

    Attributes
    ----------
    contracts
        Accounts with code, each with the pairs of digest and signature that it accepts now.
    """

    chain_id: int = 31337
    contracts: dict[Address, set[tuple[bytes, bytes]]] = field(default_factory=dict)

    @property
    def agreements(self) -> AgreementDomain:
        """The domain of the contracts."""
        return AgreementDomain(self.chain_id, Address("0x" + "5e" * 20))

    async def signed_by(self, account: Address, digest: bytes, signature: bytes) -> bool:
        """Return whether the account's contract accepts it or, without a contract, whether its key signed it."""
        if account in self.contracts:
            return (digest, signature) in self.contracts[account]
        try:
            return recover_address(digest, signature) == account
        except InsituError:
            return False
