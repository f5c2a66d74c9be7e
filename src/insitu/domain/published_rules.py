"""How documents of other generations derived checksums, DIDs and signatures, and which rule a document follows.

Three published SDKs hashed differently, and the rule changed over the years. This system writes only its own rule, and
recognises the others so that ``insitu did verify`` can say how far an old document can be trusted.
"""

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
from insitu.domain.integrity import signed_proof
from insitu.domain.service import METADATA
from insitu.domain.signatures import personal_digest

OWN_RULE = "insitu"


def _sorted_compact(value: object, *, ascii_only: bool) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=ascii_only)
    return text.encode("utf-8", "surrogatepass")


def _insertion_order(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _without_blanks(main: JsonObject) -> bytes:
    """Return the Python SDK's form: the top level sorted, then every blank removed, even inside texts."""
    return json.dumps(dict(sorted(main.items()))).replace(" ", "").encode()


def _by_number(checksums: Mapping[str, str]) -> dict[str, str]:
    """Sort members that are whole numbers as JavaScript does."""
    return dict(sorted(checksums.items(), key=lambda item: (not item[0].isdigit(), len(item[0]), item[0])))


MAIN_RULES: Mapping[str, Callable[[JsonObject], bytes]] = {
    OWN_RULE: lambda main: sha3_256(canonical_json(main)),
    "metadata-spec": lambda main: sha3_256(_sorted_compact(main, ascii_only=False)),
    "sdk-java": lambda main: sha3_256(_sorted_compact({"files": [], **main}, ascii_only=False)),
    "sdk-py-sorted": lambda main: sha3_256(_sorted_compact(main, ascii_only=True)),
    "sdk-py": lambda main: sha3_256(_without_blanks(main)),
    "sdk-js": lambda main: keccak256(_insertion_order(main)),
}
"""Rules for the checksum of a service's ``main``, ours first."""

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
    OWN_RULE: lambda ddo: signed_proof(ddo)[0],
    "did": lambda ddo: personal_digest((ddo.id or "").encode()),
    "short-did": lambda ddo: personal_digest(read_older_id(ddo.id)[1].encode()),
}
"""What the creator signed: this version, or only the DID with or without its prefix."""

_ID = re.compile(r"did:(nv|op):([0-9a-fA-F]{1,64})", re.ASCII)


def read_older_id(text: str | None) -> tuple[Literal["nv", "op"], str]:
    """Return the method and the lower-case hexadecimal digits of a DID of any generation. Raises ``InvalidDid``."""
    match = _ID.fullmatch(text or "")
    if match is None:
        raise InsituError("InvalidDid", f"{(text or '')[:100]!r} is not did:nv: or did:op: and hexadecimal digits")
    return "op" if match[1] == "op" else "nv", match[2].lower()


@dataclass(frozen=True, slots=True)
class KnownSoftware:
    """KnownSoftware that wrote documents, and the rules it followed.

    Attributes
    ----------
    has_mark
        Returns whether a document contains something that only this software writes; None if there is no such thing.
    """

    name: str
    mains: frozenset[str]
    dids: frozenset[str]
    signatures: frozenset[str]
    has_mark: Callable[[Ddo], bool] | None = None

    def follows(self, part: str, rule: str) -> bool:
        """Return whether this software uses this rule for ``part``: ``did``, ``signature``, or a service's index."""
        return rule in {"did": self.dids, "signature": self.signatures}.get(part, self.mains)


def _has_empty_files(ddo: Ddo) -> bool:
    """Return whether services without files have an empty list, which only the Java SDK writes."""
    others = [service.main for service in ddo.service if service.main and service.type != METADATA]
    return bool(others) and all(main.get("files") == [] for main in others)


SOFTWARE: tuple[KnownSoftware, ...] = (
    KnownSoftware(OWN_RULE, frozenset({OWN_RULE}), frozenset({OWN_RULE}), frozenset({OWN_RULE})),
    KnownSoftware(
        "sdk-java",
        frozenset({"sdk-java"}),
        frozenset({"metadata-spec", "sdk-java"}),
        frozenset({"did"}),
        _has_empty_files,
    ),
    KnownSoftware(
        "sdk-py", frozenset({"sdk-py-sorted", "sdk-py"}), frozenset({"metadata-spec", OWN_RULE}), frozenset({"did"})
    ),
    KnownSoftware("sdk-js", frozenset({"sdk-js"}), frozenset({"sdk-js"}), frozenset({"short-did", "did"})),
    KnownSoftware("metadata-spec", frozenset({"metadata-spec"}), frozenset({"metadata-spec"}), frozenset({"did"})),
)
"""The Nevermined libraries by repository name; ``metadata-spec`` is anyone who followed the METADATA text."""


def did_rules(digits: str, checksums: Mapping[str, str], creator: Address) -> tuple[str, ...]:
    """Return every rule by which a DID (64 hex digits) derives from ``proof.checksum`` and creator, ours first."""
    return tuple(name for name, derive in DID_RULES.items() if derive(checksums, creator) == digits)


def main_rules(main: JsonObject | None, stated: str | None) -> tuple[str, ...]:
    """Return every rule by which a stated checksum (with or without 0x) matches a service's ``main``, ours first."""
    if main is None or stated is None:
        return ()
    digits = stated.lower().removeprefix("0x")
    return tuple(name for name, digest in MAIN_RULES.items() if _digest(digest, main) == digits)


def _digest(digest: Callable[[JsonObject], bytes], main: JsonObject) -> str | None:
    try:
        return digest(main).hex()
    except InsituError:
        return None  # this main has no canonical form, but an older rule may still match
