"""What binds a document: service checksums, the DID, the on-chain checksum, the publisher's signature.

* ``proof.checksum[index]`` = SHA3-256 of the canonical JSON of the service's ``main``;
* DID = keccak256(abi.encode(SHA3-256 of that map, creator)): it binds every ``main`` of version 1 to its creator. A
  later version whose map differs repeats the first map in ``proof.origin.checksum``;
* the on-chain checksum = SHA3-256 of the whole canonical document without ``proof`` and ``curation``: it binds one
  version with its endpoints, templates, encrypted files and public keys.
"""

from typing import NamedTuple

from pydantic import ValidationError

from insitu.domain.canonical import JsonObject, checksum
from insitu.domain.ddo import Ddo, Proof
from insitu.domain.did import Did, derive_did
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, read_address
from insitu.domain.service import Service
from insitu.domain.signatures import account_signature, personal_digest
from insitu.domain.signed_request import SignedRequest

PROOF_TYPE = "DDOIntegritySignature"


def main_checksum(service: Service) -> str:
    """Return the SHA3-256 of a service's canonical ``main``: 64 hex characters."""
    return checksum(service.main)


def service_checksums(ddo: Ddo) -> dict[str, str]:
    """Return the map for ``proof.checksum``: index (as a string) → checksum of ``main``, for every service with both.

    Raises ``InvalidDocument`` if two services share an index or a ``main`` has no canonical form.
    """
    checksums: dict[str, str] = {}
    for position, service in enumerate(ddo.service):
        if service.index is None or service.attributes is None:
            continue
        if str(service.index) in checksums:
            raise InsituError(
                "InvalidDocument", f"two services have index {service.index}", pointer=f"/service/{position}/index"
            )
        checksums[str(service.index)] = main_checksum(service)
    return checksums


def onchain_checksum(ddo: Ddo) -> str:
    """Return the checksum that DIDRegistry has for this version of the document: 64 hex characters.

    ``proof`` and ``curation`` are left out, because the proof contains the checksum and curation belongs to the
    marketplace. Raises ``InvalidDocument`` if the document has no canonical form.
    """
    return checksum(bound_part(ddo.to_json()))


def bound_part(document: JsonObject) -> JsonObject:
    """Return the part of a DDO's JSON that the on-chain checksum covers."""
    return {name: member for name, member in without_curation(document).items() if name != "proof"}


def without_curation(document: JsonObject) -> JsonObject:
    """Return a document without its ratings and listing, which no signature covers and the marketplace decides."""
    kept = {name: member for name, member in document.items() if name != "curation"}
    if isinstance(kept.get("service"), list):
        kept["service"] = [_without_curation(service) for service in kept["service"]]
    return kept


def _without_curation(service: JsonObject) -> JsonObject:
    attributes = service.get("attributes")
    if not isinstance(attributes, dict) or "curation" not in attributes:
        return service
    return {**service, "attributes": {name: value for name, value in attributes.items() if name != "curation"}}


def verify_checksum(ddo: Ddo, expected: str) -> None:
    """Refuse a document that is not the version that the chain names. Raises ``ChecksumMismatch`` with both checksums.

    ``expected`` is the on-chain checksum, 64 hex digits with or without 0x.
    """
    actual, wanted = onchain_checksum(ddo), expected.lower().removeprefix("0x")
    if actual != wanted:
        raise InsituError(
            "ChecksumMismatch",
            f"the document of {ddo.id} has checksum {actual}, but {wanted} is registered",
            actual=actual,
            expected=wanted,
        )


def proof_message(did: Did, document_checksum: str) -> str:
    """Return the text that the publisher signs (personal_sign) for ``proof.signatureValue``.

    It names the DID and this version's on-chain checksum, so a signature cannot be moved to a changed document.
    """
    return f"{did}\n{document_checksum}"


def proof_digest(did: Did, document_checksum: str) -> bytes:
    """Return the 32 bytes that the key signs: the personal_sign digest of ``proof_message``."""
    return personal_digest(proof_message(did, document_checksum).encode())


class SignedProof(NamedTuple):
    """The digest that a signature is for, the signature of 65 to 4,096 bytes, and the request if it is one's."""

    digest: bytes
    signature: bytes
    request: SignedRequest | None


def signed_proof(ddo: Ddo) -> SignedProof:
    """Return what proves this version.

    Raises ``SignatureMismatch`` if there is no readable signature or it is for another version, ``InvalidDid``, and
    ``InvalidDocument``.
    """
    signature, request = ddo.proof.signature_value if ddo.proof is not None else None, request_of(ddo)
    if request is not None:
        if (str(ddo.did), onchain_checksum(ddo)) not in request.versions:
            detail = f"proof.request does not register this version of {ddo.id}"
            raise InsituError("SignatureMismatch", detail, pointer="/proof/request")
        return SignedProof(request.digest, request.signature_bytes, request)
    if not signature:
        raise InsituError("SignatureMismatch", "the document has no proof.signatureValue", pointer="/proof")
    return SignedProof(proof_digest(ddo.did, onchain_checksum(ddo)), account_signature(signature), None)


def request_of(ddo: Ddo) -> SignedRequest | None:
    """Return the signed request that proves this version in place of a signature, if there is one.

    Raises ``InvalidDocument``.
    """
    if ddo.proof is None or ddo.proof.request is None or ddo.proof.signature_value:
        return None
    try:
        return SignedRequest.model_validate(ddo.proof.request)
    except ValidationError:
        detail = "proof.request is not a signed request to the registry"
        raise InsituError("InvalidDocument", detail, pointer="/proof/request") from None


def creator_of(ddo: Ddo) -> Address:
    """Return the account from which the DID derives, after checking the service checksums and the DID.

    Raises ``ChecksumMismatch`` if a ``main`` or the DID was changed, ``VersionNotAllowed`` if there are other services
    than in version 1, and ``InvalidDocument``, ``InvalidDid`` or ``InvalidId`` if parts are missing.
    """
    proof = ddo.proof
    if proof is None or proof.creator is None or proof.checksum is None:
        raise InsituError("InvalidDocument", "proof needs creator and checksum", pointer="/proof")
    creator, actual = read_address(proof.creator), service_checksums(ddo)
    for index in sorted(actual.keys() | proof.checksum.keys()):
        if actual.get(index) != proof.checksum.get(index):
            raise InsituError(
                "ChecksumMismatch",
                f"proof.checksum of service {index} does not match its main",
                pointer=f"/proof/checksum/{index}",
            )
    first = origin_of(ddo)
    if proof.origin is not None and first == proof.checksum:
        detail = "proof.origin repeats proof.checksum: only a version that changed a main has an origin"
        raise InsituError("VersionNotAllowed", detail, pointer="/proof/origin")
    derived = derive_did(first, creator)
    if derived != ddo.did:
        raise InsituError("ChecksumMismatch", f"the DID should be {derived}, not {ddo.did}", pointer="/id")
    if first.keys() != proof.checksum.keys():
        detail = f"version 1 of {ddo.id} has the services {', '.join(sorted(first))}, and a later one keeps them"
        raise InsituError("VersionNotAllowed", detail, pointer="/service")
    return creator


def origin_of(ddo: Ddo) -> dict[str, str]:
    """Return ``proof.checksum`` of version 1, as this version states it."""
    proof = ddo.proof or Proof()
    origin = proof.origin.checksum if proof.origin is not None else proof.checksum
    return dict(origin or {})
