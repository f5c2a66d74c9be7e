"""Making a DDO: from a publisher's services to a document with a DID, checksums, and the digest to sign (P1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from insitu.domain.canonical import JsonObject, checksum, plain_json
from insitu.domain.ddo import CONTEXT, Ddo, read_ddo
from insitu.domain.did import Did, did_seed, hash_did
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.integrity import PROOF_TYPE, onchain_checksum, origin_of, proof_digest
from insitu.domain.service import METADATA
from insitu.domain.signed_request import SignedRequest

KEY_TYPE = "EthereumECDSAKey"
AUTHENTICATION_TYPE = "EthereumECDSAAuthentication"
PROVING = ("signatureValue", "request")
"""The members of a proof that prove one version."""


@dataclass(frozen=True, slots=True)
class UnsignedDdo:
    """A document that is complete except for its signature.

    Attributes
    ----------
    seed
        32 bytes for ``DIDRegistry.registerAttribute``, which derives the DID from it and the caller.
    checksum
        On-chain checksum of this version: 64 hex digits.
    digest
        32 bytes for the creator's key to sign.
    """

    did: Did
    seed: bytes
    document: JsonObject
    checksum: str
    digest: bytes

    @property
    def ddo(self) -> Ddo:
        """The document without what proves it."""
        return read_ddo(self.document)

    def signed(self, signature: bytes) -> Ddo:
        """Return the DDO with the signature of ``digest`` (65 bytes r ‖ s ‖ v) in its proof."""
        return self._with({"signatureValue": "0x" + signature.hex()})

    def proved_by(self, request: SignedRequest) -> Ddo:
        """Return the DDO with the signed request that registers this version in its proof."""
        return self._with({"request": request.model_dump(mode="json", exclude_none=True)})

    def _with(self, signed: JsonObject) -> Ddo:
        return read_ddo({**self.document, "proof": {**self.document["proof"], **signed}})


def assemble_ddo(
    services: Sequence[JsonObject],
    creator: Address,
    created: str,
    *,
    public_key_owner: Address | None = None,
) -> UnsignedDdo:
    """Derive the services' checksums and the DID, and put the document together.

    The same arguments give the same DID, so publishing again after a lost answer creates nothing new.

    Raises ``InvalidDocument`` if a service has no index or ``main``, or two share an index.

    Parameters
    ----------
    services
        Entries of ``service[]`` with index, type, serviceEndpoint, attributes; ``{did}`` in an endpoint is replaced by
        the DID.
    creator
        The account that signs and registers.
    created
        The current time, as ``timestamps.format_time`` writes it.
    public_key_owner
        Owner of the published key, if not the creator.
    """
    entries: list[JsonObject] = plain_json(list(services), "/service")
    checksums = {str(index): checksum(main) for index, main in _mains(entries).items()}
    seed = did_seed(checksums)
    did = hash_did(seed, creator)
    for entry in entries:
        entry["serviceEndpoint"] = str(entry.get("serviceEndpoint", "")).replace("{did}", str(did))
    document: JsonObject = {
        "@context": CONTEXT,
        "id": str(did),
        "created": created,
        "publicKey": [{"id": str(did), "type": KEY_TYPE, "owner": public_key_owner or creator}],
        "authentication": [{"type": AUTHENTICATION_TYPE, "publicKey": str(did)}],
        "service": entries,
        "proof": {"type": PROOF_TYPE, "created": created, "creator": creator, "checksum": checksums},
    }
    return _unsigned(did, seed, document)


def identify(services: Sequence[JsonObject], creator: Address) -> tuple[Did, dict[str, str]]:
    """Return the DID that these services will have, and the checksums behind it: index → SHA3-256 of ``main``.

    This comes first, because a list of files is sealed for a DID and is not part of any ``main``. Raises the same as
    :func:`assemble_ddo`.
    """
    checksums = {str(index): checksum(main) for index, main in _mains(plain_json(list(services), "/service")).items()}
    return hash_did(did_seed(checksums), creator), checksums


def with_sealed_list(services: Sequence[JsonObject], text: str) -> list[JsonObject]:
    """Return the services with a new sealed list in the metadata service."""
    return [
        {**entry, "attributes": {**(entry.get("attributes") or {}), "encryptedFiles": text}}
        if entry.get("type") == METADATA
        else entry
        for entry in services
    ]


def revise_ddo(ddo: Ddo, services: Sequence[JsonObject], signer: Address, updated: str) -> UnsignedDdo:
    """Return a new version of a published document. The DID stays, and the on-chain checksum changes.

    :mod:`insitu.domain.versions` says which changes are allowed. Raises ``InvalidDocument`` like :func:`assemble_ddo`.

    Parameters
    ----------
    ddo
        The current version.
    services
        The new entries of ``service[]``.
    signer
        The on-chain owner, who signs this version; ``proof.creator`` stays the creator of the DID.
    updated
        The current time.
    """
    if ddo.proof is None or ddo.proof.checksum is None:
        raise InsituError("InvalidDocument", "the document has no proof.checksum", pointer="/proof")
    entries: list[JsonObject] = plain_json(list(services), "/service")
    checksums = {str(index): checksum(main) for index, main in _mains(entries).items()}
    document, origin = ddo.to_json() | {"service": entries, "updated": updated}, origin_of(ddo)
    kept = {name: value for name, value in document["proof"].items() if name not in (*PROVING, "origin")}
    document["proof"] = {**kept, "created": updated, "signer": signer, "checksum": checksums}
    if checksums != origin:
        document["proof"]["origin"] = {"checksum": origin}
    return _unsigned(ddo.did, did_seed(origin), document)


def unsigned_again(ddo: Ddo) -> UnsignedDdo:
    """Return a published document without what proves it, so that it can be proved in another way."""
    document = ddo.to_json()
    document["proof"] = {name: member for name, member in document["proof"].items() if name not in PROVING}
    return _unsigned(ddo.did, did_seed(origin_of(ddo)), document)


def _unsigned(did: Did, seed: bytes, document: JsonObject) -> UnsignedDdo:
    digits = onchain_checksum(read_ddo(document))
    return UnsignedDdo(did, seed, document, digits, proof_digest(did, digits))


def _mains(entries: Sequence[JsonObject]) -> dict[int, JsonObject]:
    mains: dict[int, JsonObject] = {}
    for position, entry in enumerate(entries):
        attributes, index = entry.get("attributes"), entry.get("index")
        main = attributes.get("main") if isinstance(attributes, dict) else None
        if type(index) is not int or not isinstance(main, dict):
            raise InsituError("InvalidDocument", "a service needs index and main", pointer=f"/service/{position}")
        if index in mains:
            raise InsituError("InvalidDocument", f"two services have index {index}", pointer=f"/service/{position}")
        mains[index] = main
    return mains
