"""How documents of other generations derived checksums, DIDs and signatures, and which rule a document fits.

Three published SDKs hashed differently, and the rule changed over the years. Only this system's own rule is written;
the others are recognised, so that `insitu did verify` can say what an old document is worth.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from insitu.domain.canonical import JsonObject, canonical_json, keccak256, sha3_256
from insitu.domain.ddo import Ddo
from insitu.domain.did import did_seed, hash_did
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, read_address
from insitu.domain.integrity import onchain_checksum, proof_digest
from insitu.domain.signatures import personal_digest, recover_address
from insitu.domain.wire import WireModel

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
    "did": lambda ddo: personal_digest(str(ddo.did).encode()),
    "short-did": lambda ddo: personal_digest(ddo.did.digits.encode()),
}
"""What the creator signed: this version, or only the DID with or without its prefix."""


class Verification(WireModel):
    """What fits in a document, and by which rule; None where no known rule fits.

    Attributes
    ----------
    services
        Service index → rule of its checksum. The metadata service of a document whose urls were removed after
        hashing fits none: its publisher alone can check it.
    """

    did: str
    did_rule: str | None
    services: dict[str, str | None]
    signature_rule: str | None
    signer: Address | None = None

    @property
    def holds(self) -> bool:
        """Whether DID, every service and the signature fit some known rule."""
        return None not in (self.did_rule, self.signature_rule, *self.services.values()) and bool(self.services)

    @property
    def is_own(self) -> bool:
        """Whether everything fits this system's own rules."""
        return {self.did_rule, self.signature_rule, *self.services.values()} == {OWN_RULE}


def verify_document(ddo: Ddo) -> Verification:
    """Find the rules that a document fits.

    Raises:
        InsituError: `InvalidDocument` or `InvalidDid`, if it has no DID or no proof with creator to judge by.
    """
    proof = ddo.proof
    if proof is None or proof.creator is None:
        raise InsituError("InvalidDocument", "the document has no proof with a creator", pointer="/proof")
    try:
        creator = read_address(proof.creator)
    except InsituError as error:
        raise InsituError("InvalidDocument", error.detail, pointer="/proof/creator") from None
    signature_rule, signer = _signature_rule(ddo, creator)
    return Verification(
        did=str(ddo.did),
        did_rule=did_rule(ddo.did.digits, proof.checksum or {}, creator),
        services=_service_rules(ddo, proof.checksum or {}),
        signature_rule=signature_rule,
        signer=signer,
    )


def did_rule(digits: str, checksums: Mapping[str, str], creator: Address) -> str | None:
    """The rule by which a DID derives from a checksum map, or None.

    Args:
        digits: 64 hex digits of the DID.
        checksums: `proof.checksum` as the document has it.
        creator: `proof.creator`.
    """
    return next((name for name, derive in DID_RULES.items() if derive(checksums, creator) == digits), None)


def main_rule(main: JsonObject, stated: str) -> str | None:
    """The rule by which a stated checksum (with or without 0x) fits a service's `main`, or None."""
    digits = stated.lower().removeprefix("0x")
    for name, digest in MAIN_RULES.items():
        try:
            if digest(main).hex() == digits:
                return name
        except InsituError:
            continue  # this main has no canonical form; an older rule may still fit
    return None


def _service_rules(ddo: Ddo, checksums: Mapping[str, str]) -> dict[str, str | None]:
    mains = {str(service.index): service.main for service in ddo.service if service.index is not None}
    return {
        index: main_rule(mains[index], checksums[index]) if index in mains and index in checksums else None
        for index in sorted(mains.keys() | checksums.keys())
    }


def _signature_rule(ddo: Ddo, creator: Address) -> tuple[str | None, Address | None]:
    signature = ddo.proof.signature_value if ddo.proof is not None else None
    for name, digest in SIGNATURE_RULES.items():
        try:
            signer = recover_address(digest(ddo), signature or "")
        except InsituError:
            continue  # not this rule, or no signature at all
        if signer == creator:
            return name, signer
    return None, None
