"""Merkle roots over lists of files: what a receipt says about inputs and outputs without showing them.

The tree is that of RFC 6962: leaves and inner nodes are hashed with different first bytes, and a list is split at the
largest power of two below its length. A salt in every leaf prevents guessing the data from the root; with the salt one
can later show what the root stands for.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from insitu.domain.canonical import canonical_json, sha256


@dataclass(frozen=True, slots=True)
class FileDigest:
    """A file as a leaf: its name or path (empty if only the index counts), SHA-256 (64 hex digits), bytes."""

    name: str
    sha256: str
    size: int


def files_root(files: Iterable[FileDigest], salt: bytes = b"") -> str:
    """Return the Merkle root of a list of files, 64 hex digits. The order counts.

    Parameters
    ----------
    files
        By ascending index for inputs, by ascending path for outputs.
    salt
        32 random bytes for inputs, kept by the provider; empty for outputs, whose owner can check them alone.
    """
    return _root([_leaf(file, salt) for file in files]).hex()


def output_root(files: Iterable[FileDigest]) -> str:
    """Return the root over the published files, sorted by path. Anybody with the files can compute it."""
    return files_root(sorted(files, key=lambda file: file.name))


def _leaf(file: FileDigest, salt: bytes) -> bytes:
    described = canonical_json({"name": file.name, "sha256": file.sha256, "size": str(file.size)})
    return sha256(b"\x00" + salt + described)


def _root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + _root(leaves[:split]) + _root(leaves[split:]))
