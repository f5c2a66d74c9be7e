"""Token allowances by signature (ERC-2612), so that an approval needs no transaction."""

from insitu.domain.canonical import keccak256
from insitu.domain.ids import Address
from insitu.domain.ledger import Permit
from insitu.domain.typed_data import encoded_hash
from insitu.ports.keys import Signer

_TYPE = "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"


def sign_permit(
    signer: Signer, spender: Address, amount: int, deadline: int, *, nonce: int, separator: bytes
) -> Permit:
    """Sign an allowance.

    Parameters
    ----------
    amount
        Base units.
    deadline
        Seconds since 1970, at least 1: 0 means that there is no permit.
    nonce, separator
        The token's ``nonces(owner)`` and ``DOMAIN_SEPARATOR()``.
    """
    struct = encoded_hash(_TYPE, (signer.address, spender, amount, nonce, deadline))
    signature = signer.sign_digest(keccak256(b"\x19\x01" + separator + struct))
    return Permit(amount, deadline, signature[64], signature[:32], signature[32:64])
