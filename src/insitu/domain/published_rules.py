"""How documents of other generations derived checksums, DIDs and signatures, and which rule a document fits.

Three published SDKs hashed differently, and the rule changed over the years. Only this system's own rule is written;
the others are recognised, so that `insitu did verify` can say what an old document is worth.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from insitu.domain.canonical import JsonObject, canonical_json, keccak256, sha3_256
from insitu.domain.ddo import Ddo
from insitu.domain.did import did_seed, hash_did
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.integrity import onchain_checksum, proof_digest
from insitu.domain.service import METADATA
from insitu.domain.signatures import personal_digest

OWN_RULE = "insitu"


def _sorted_compact(value: object, *, ascii_only: bool) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=ascii_only)
    return text.encode("utf-8", "surrogatepass")


def _insertion_order(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _without_blanks(main: JsonObject) -> bytes:
    """The Python SDK's form: the top level sorted, then every blank removed, also inside texts."""
    return json.dumps(dict(sorted(main.items()))).replace(" ", "").encode()


def _by_number(checksums: Mapping[str, str]) -> dict[str, str]:
    """The order in which JavaScript keeps members that are whole numbers."""
    return dict(sorted(checksums.items(), key=lambda item: (not item[0].isdigit(), len(item[0]), item[0])))


MAIN_RULES: Mapping[str, Callable[[JsonObject], bytes]] = {
    OWN_RULE: lambda main: sha3_256(canonical_json(main)),
    "metadata-spec": lambda main: sha3_256(_sorted_compact(main, ascii_only=False)),
    "sdk-java": lambda main: sha3_256(_sorted_compact({"files": [], **main}, ascii_only=False)),
    "sdk-py-sorted": lambda main: sha3_256(_sorted_compact(main, ascii_only=True)),
    "sdk-py": lambda main: sha3_256(_without_blanks(main)),
    "sdk-js": lambda main: keccak256(_insertion_order(main)),
}
"""Rules for the checksum of a service's `main`, ours first."""

DID_RULES: Mapping[str, Callable[[Mapping[str, str], Address], str]] = {
    OWN_RULE: lambda checksums, creator: hash_did(did_seed(checksums), creator).digits,
    "metadata-spec": lambda checksums, _: sha3_256(_sorted_compact(checksums, ascii_only=False)).hex(),
    "sdk-java": lambda checksums, creator: (
        hash_did(keccak256(_sorted_compact(checksums, ascii_only=False)), creator).digits
    ),
    "sdk-js": lambda checksums, creator: hash_did(keccak256(_insertion_order(_by_number(checksums))), creator).digits,
}
"""Rules for the DID of a checksum map, ours first (the Python SDK's later rule is the same)."""

SIGNATURE_RULES: Mapping[str, Callable[[Ddo], bytes]] = {
    OWN_RULE: lambda ddo: proof_digest(ddo.did, onchain_checksum(ddo)),
    "did": lambda ddo: personal_digest((ddo.id or "").encode()),
    "short-did": lambda ddo: personal_digest(read_older_id(ddo.id)[1].encode()),
}
"""What the creator signed: this version, or only the DID with or without its prefix."""

_ID = re.compile(r"did:(nv|op):([0-9a-fA-F]{1,64})", re.ASCII)


def read_older_id(text: str | None) -> tuple[Literal["nv", "op"], str]:
    """Method and hexadecimal digits, in lower case, of a DID of any generation.

    Raises:
        InsituError: `InvalidDid`.
    """
    match = _ID.fullmatch(text or "")
    if match is None:
        raise InsituError("InvalidDid", f"{(text or '')[:100]!r} is not did:nv: or did:op: and hexadecimal digits")
    return "op" if match[1] == "op" else "nv", match[2].lower()


@dataclass(frozen=True, slots=True)
class Software:
    """What wrote documents, and by which of the rules above.

    Attributes
    ----------
    leaves_its_mark
        Whether a document shows what only this software writes; None where it writes nothing of that kind.
    """

    name: str
    mains: frozenset[str]
    dids: frozenset[str]
    signatures: frozenset[str]
    leaves_its_mark: Callable[[Ddo], bool] | None = None

    def follows(self, part: str, rule: str) -> bool:
        """Whether this software derives `part` (`did`, `signature`, or the index of a service) by this rule."""
        return rule in {"did": self.dids, "signature": self.signatures}.get(part, self.mains)


def _has_empty_files(ddo: Ddo) -> bool:
    """Whether services that have no files say so, as only the Java SDK writes them."""
    others = [service.main for service in ddo.service if service.main and service.type != METADATA]
    return bool(others) and all(main.get("files") == [] for main in others)


SOFTWARE: tuple[Software, ...] = (
    Software(OWN_RULE, frozenset({OWN_RULE}), frozenset({OWN_RULE}), frozenset({OWN_RULE})),
    Software(
        "sdk-java",
        frozenset({"sdk-java"}),
        frozenset({"metadata-spec", "sdk-java"}),
        frozenset({"did"}),
        _has_empty_files,
    ),
    Software(
        "sdk-py", frozenset({"sdk-py-sorted", "sdk-py"}), frozenset({"metadata-spec", OWN_RULE}), frozenset({"did"})
    ),
    Software("sdk-js", frozenset({"sdk-js"}), frozenset({"sdk-js"}), frozenset({"short-did", "did"})),
    Software("metadata-spec", frozenset({"metadata-spec"}), frozenset({"metadata-spec"}), frozenset({"did"})),
)
"""The libraries of Nevermined by their repositories' names; `metadata-spec` is whoever wrote by the METADATA text."""


def did_rules(digits: str, checksums: Mapping[str, str], creator: Address) -> tuple[str, ...]:
    """Every rule by which a DID derives from a checksum map, ours first.

    Args:
        digits: 64 hex digits of the DID.
        checksums: `proof.checksum` as the document has it.
        creator: `proof.creator`.
    """
    return tuple(name for name, derive in DID_RULES.items() if derive(checksums, creator) == digits)


def main_rules(main: JsonObject | None, stated: str | None) -> tuple[str, ...]:
    """Every rule by which a stated checksum (with or without 0x) fits a service's `main`, ours first."""
    if main is None or stated is None:
        return ()
    digits = stated.lower().removeprefix("0x")
    return tuple(name for name, digest in MAIN_RULES.items() if _digest(digest, main) == digits)


def _digest(digest: Callable[[JsonObject], bytes], main: JsonObject) -> str | None:
    try:
        return digest(main).hex()
    except InsituError:
        return None  # this main has no canonical form; an older rule may still fit
