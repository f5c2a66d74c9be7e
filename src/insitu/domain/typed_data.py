"""Typed data: what accounts sign for one contract on one chain, and what it hashes to (EIP-712)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from insitu.domain.canonical import keccak256
from insitu.domain.ids import Address

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
        return encoded_hash(DOMAIN_TYPE, (self.name, DOMAIN_VERSION, self.chain_id, self.contract))

    def digest(self, struct_hash: bytes) -> bytes:
        """Return the 32 bytes to sign for a struct, from its struct hash."""
        return keccak256(b"\x19\x01" + self.separator() + struct_hash)


@dataclass(frozen=True, slots=True)
class Struct:
    """A dataclass with the members of a struct of Solidity, in its order.

    ``TYPE`` is the struct as EIP-712 writes it, followed by the structs that it is made of.
    """

    TYPE: ClassVar[str]

    @property
    def members(self) -> tuple[Any, ...]:
        """The values of the members."""
        return tuple(getattr(self, member.name) for member in fields(self))

    def as_tuple(self) -> tuple[object, ...]:
        """Return the struct as contract calls take it."""
        return tuple(_for_call(value) for value in self.members)

    def hash(self) -> bytes:
        """Return the struct hash."""
        return encoded_hash(self.TYPE, self.members)


def _for_call(value: object) -> object:
    if isinstance(value, Struct):
        return value.as_tuple()
    return [_for_call(item) for item in value] if isinstance(value, list | tuple) else value


def struct_hash(kind: str, declared: str, members: Mapping[str, object]) -> bytes:
    """Return the hash of a struct that is declared as ``bytes32 did,string action``.

    Raises ``KeyError`` if the members are not those of the struct.
    """
    names = [member.split()[1] for member in declared.split(",")]
    if members.keys() != set(names):
        raise KeyError(f"{kind} has {declared}")
    return encoded_hash(f"{kind}({declared})", [members[name] for name in names])


def encoded_hash(encoded_type: str, values: Iterable[Any]) -> bytes:
    """Return the struct hash of values, in the order of the members of ``Transfer(bytes32 did,address newOwner,…)``."""
    kinds = [member.split()[0] for member in encoded_type.partition("(")[2].partition(")")[0].split(",")]
    words = [keccak256(encoded_type.encode())]
    for kind, value in zip(kinds, values, strict=True):
        if kind == "string":
            words.append(keccak256(str(value).encode()))
        elif kind.endswith("[]"):
            words.append(keccak256(b"".join(item.hash() if isinstance(item, Struct) else word(item) for item in value)))
        else:
            words.append(word(value))
    return keccak256(b"".join(words))


def word(value: object) -> bytes:
    """Encode a number, address, flag or bytes32 (bytes, or text that begins with 0x) as one word of 32 bytes (ABI)."""
    if isinstance(value, bytes) and len(value) == 32:
        return value
    if isinstance(value, str):
        return bytes.fromhex(value[2:]).rjust(32, b"\0")
    if isinstance(value, int):
        return int(value).to_bytes(32, "big")
    raise TypeError(f"{type(value).__name__} does not fit in a word")
