"""Decentralised identifiers: ``did:nv:`` and 64 hexadecimal digits (DID specification), and how they are derived.

A DID is ``keccak256(abi.encode(didSeed, creator))``, as DIDRegistry computes it, so nobody can take another's DID.
The seed is the SHA3-256 of the canonical map of service checksums, so a DID commits to every service's ``main``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from typing_extensions import override

from insitu.domain.canonical import canonical_json, keccak256, sha3_256
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address

PREFIX = "did:nv:"

_COMPLETE = re.compile(r"did:nv:([0-9a-f]{64})", re.ASCII)
_LEGACY = re.compile(r"did:nv:([0-9a-fA-F]{1,64})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Did:
    """A DID. ``digits`` has 64 lower-case hexadecimal digits, or fewer in documents of older generations."""

    digits: str

    @staticmethod
    def parse(text: str) -> "Did":
        """Read a complete DID: ``did:nv:`` and exactly 64 lower-case hexadecimal digits. Raises ``InvalidDid``."""
        match = _COMPLETE.fullmatch(text)
        if match is None:
            raise InsituError(
                "InvalidDid", f"{text[:100]!r} is not did:nv: followed by 64 lower-case hexadecimal digits"
            )
        return Did(match[1])

    @staticmethod
    def read(text: str) -> "Did":
        """Read a DID as older documents have it, which may be short (``did:nv:12345``) or in upper case.

        Raises ``InvalidDid``.
        """
        match = _LEGACY.fullmatch(text)
        if match is None:
            raise InsituError("InvalidDid", f"{text[:100]!r} is not did:nv: followed by hexadecimal digits")
        return Did(match[1].lower())

    @staticmethod
    def from_hex(digits: str) -> "Did":
        """Read a DID from its 32 bytes on chain, as hex with or without 0x. Raises ``InvalidDid``."""
        return Did.parse(PREFIX + digits.removeprefix("0x").lower())

    @property
    def is_complete(self) -> bool:
        """Whether the DID has all 32 bytes. Only such a DID can be registered, bought, or executed."""
        return len(self.digits) == 64

    def __bytes__(self) -> bytes:
        if not self.is_complete:
            raise InsituError("InvalidDid", f"{self} is too short for the chain")
        return bytes.fromhex(self.digits)

    @override
    def __str__(self) -> str:
        return PREFIX + self.digits


def is_complete_did(text: object) -> bool:
    """Return whether ``text`` is a DID that can be registered: ``did:nv:`` and 64 lower-case hexadecimal digits."""
    return isinstance(text, str) and _COMPLETE.fullmatch(text) is not None


def hash_did(seed: bytes, creator: Address) -> Did:
    """Return ``keccak256(abi.encode(bytes32 seed, address creator))``, the same as ``DIDRegistry.hashDID``.

    ``creator`` is the account that registers the DID.
    """
    if len(seed) != 32:
        raise InsituError("InvalidDid", f"a DID seed has 32 bytes, not {len(seed)}")
    return Did(keccak256(seed + abi_address(creator)).hex())


def did_seed(checksums: Mapping[str, str]) -> bytes:
    """Return the 32 bytes from which the DID derives: the SHA3-256 of the canonical ``proof.checksum`` map."""
    return sha3_256(canonical_json(checksums))


def derive_did(checksums: Mapping[str, str], creator: Address) -> Did:
    """Return the DID of an asset with these service checksums, registered by this creator."""
    return hash_did(did_seed(checksums), creator)


def abi_address(address: Address) -> bytes:
    """Return an address as a 32-byte word of the contract ABI."""
    return bytes.fromhex(address[2:]).rjust(32, b"\0")
