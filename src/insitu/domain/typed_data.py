"""Typed data: what accounts sign for one contract on one chain, and what it hashes to (EIP-712)."""

from collections.abc import Mapping
from dataclasses import dataclass

from eth_abi.abi import encode

from insitu.domain.canonical import keccak256
from insitu.domain.ids import Address

__all__ = ["DOMAIN_TYPE", "DOMAIN_VERSION", "SigningDomain", "struct_hash", "word"]

DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
DOMAIN_VERSION = "1"


@dataclass(frozen=True, slots=True)
class SigningDomain:
    """The EIP-712 domain of a contract: a signature for it is worth nothing for another contract or chain."""

    name: str
    chain_id: int
    contract: Address

    def separator(self) -> bytes:
        """Return the 32 bytes of the domain separator."""
        types = ["bytes32", "bytes32", "bytes32", "uint256", "address"]
        texts = [keccak256(text.encode()) for text in (DOMAIN_TYPE, self.name, DOMAIN_VERSION)]
        return keccak256(encode(types, [*texts, self.chain_id, self.contract]))

    def digest(self, struct_hash: bytes) -> bytes:
        """Return the 32 bytes to sign for a struct, from its struct hash."""
        return keccak256(b"\x19\x01" + self.separator() + struct_hash)


def struct_hash(kind: str, declared: str, members: Mapping[str, object]) -> bytes:
    """Return the hash of a struct of words and texts, declared as ``bytes32 did,string action``.

    Raises ``KeyError`` if the members are not those of the struct.
    """
    struct = [member.split() for member in declared.split(",")]
    if members.keys() != {name for _, name in struct}:
        raise KeyError(f"{kind} has {declared}")
    words = [keccak256(f"{kind}({declared})".encode())]
    for type_, name in struct:
        value = members[name]
        words.append(keccak256(str(value).encode()) if type_ == "string" else word(value))
    return keccak256(b"".join(words))


def word(value: object) -> bytes:
    """Encode a number, address, flag or bytes32 (text that begins with 0x) as one word of 32 bytes (ABI)."""
    if isinstance(value, str):
        return bytes.fromhex(value[2:]).rjust(32, b"\0")
    if isinstance(value, int):
        return int(value).to_bytes(32, "big")
    raise TypeError(f"{type(value).__name__} does not fit in a word")
