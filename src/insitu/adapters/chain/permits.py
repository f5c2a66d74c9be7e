"""Token allowances by signature (ERC-2612), so that an approval needs no transaction."""

from eth_abi.abi import encode

from insitu.domain.canonical import keccak256
from insitu.domain.ids import Address
from insitu.domain.ledger import Permit
from insitu.ports.keys import Signer

_TYPE = keccak256(b"Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)")


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
    types = ["bytes32", "address", "address", "uint256", "uint256", "uint256"]
    struct = keccak256(encode(types, [_TYPE, signer.address, spender, amount, nonce, deadline]))
    signature = signer.sign_digest(keccak256(b"\x19\x01" + separator + struct))
    return Permit(amount, deadline, signature[64], signature[:32], signature[32:64])
