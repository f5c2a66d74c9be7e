"""Publishing (P1–P3) as one call that can be repeated: describe, seal, sign, publish, register, await the listing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio

from insitu.api.gateway_v1 import EncryptRequest, GatewayInfo
from insitu.api.metadata_v1 import MAX_WAIT, AssetStatus
from insitu.domain.assembly import UnsignedDdo, assemble_ddo, identify, revise_ddo, with_sealed_list
from insitu.domain.canonical import JsonObject, canonical_json, keccak256, sha256, sha256_hex
from insitu.domain.ddo import Ddo, read_ddo
from insitu.domain.did import Did, did_seed
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, read_address
from insitu.domain.integrity import creator_of, onchain_checksum, origin_of, verify_checksum
from insitu.domain.ledger import register_attribute, update_attribute
from insitu.domain.sealed_list import public_files
from insitu.domain.timestamps import format_time
from insitu.domain.validation import validate_ddo
from insitu.domain.versions import require_allowed_change
from insitu.ports.chain import Chain, Mined
from insitu.ports.keys import Signer
from insitu.sdk.descriptions import Description, Surroundings, complete_services, read_description
from insitu.sdk.gateway import GatewayClient
from insitu.sdk.metadata import MetadataClient
from insitu.sdk.quotes import require_key

__all__ = ["Asset", "Publisher"]

LISTING_SECONDS = 180
"""How long after its registration an asset may take to be listed; with confirmations this takes a while."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A published asset.

    Attributes
    ----------
    checksum
        On-chain checksum of this version: 64 hexadecimal digits.
    transaction
        The transaction that registered it now; None if it was registered before.
    """

    did: str
    ddo: Ddo
    checksum: str
    owner: Address
    transaction: str | None = None

    @property
    def reused(self) -> bool:
        """True if an equal asset was there already."""
        return self.transaction is None


class Publisher:
    """Publishes assets of one account in one catalogue, with one gateway as their provider."""

    def __init__(self, chain: Chain, signer: Signer, metadata: MetadataClient, gateway: GatewayClient) -> None:
        self._chain = chain
        self._signer = signer
        self._metadata = metadata
        self._gateway = gateway

    async def gateway_info(self) -> GatewayInfo:
        """Ask the gateway for its account and contracts.

        Raises ``ContractMismatch`` if it uses other contracts, and ``ProviderIsContract``.
        """
        info = await self._gateway.info()
        ours = self._chain.agreements
        theirs = info.contracts.get("ServiceExecutionTemplate", "")
        if info.chain_id != ours.chain_id or theirs.lower() != ours.contract.lower():
            detail = f"the gateway uses the template {theirs} on chain {info.chain_id}, but the deployments file names "
            raise InsituError("ContractMismatch", detail + f"{ours.contract} on chain {ours.chain_id}")
        await require_key(self._chain, info.provider_address)
        return info

    async def register(
        self,
        asset_metadata: Mapping[str, Any],
        services: Sequence[Mapping[str, Any]] = (),
        publisher_public_key: str | None = None,
        *,
        without_compute: bool = False,
        identity: Mapping[str, Any] | None = None,
    ) -> Asset:
        """Publish and register an asset, or find the equal one of an earlier call; see ``Assets.register_asset``.

        ``identity`` says what makes two calls equal, by default the description itself.
        """
        description = read_description(asset_metadata, services)
        key = self.key_of(identity if identity is not None else _identity(description))
        earlier = await self.find_earlier(key)
        if earlier is not None:
            return await self._publish_and_register(earlier, key, without_compute=without_compute)
        unsigned = await self._assemble(description, publisher_public_key, without_compute=without_compute)
        ddo = unsigned.signed(self._signer.sign_digest(unsigned.digest))
        return await self._publish_and_register(ddo, key, without_compute=without_compute)

    def key_of(self, identity: Mapping[str, Any]) -> str:
        """Return the Idempotency-Key of a description. It derives from a signature, so only the author can know it."""
        contract = self._chain.contract("DIDRegistry")
        text = canonical_json([self._chain.agreements.chain_id, contract, self._gateway.url, dict(identity)])
        return sha256_hex(self._signer.sign_digest(sha256(b"insitu register_asset " + text)))

    async def find_earlier(self, key: str) -> Ddo | None:
        """Return the document that this account published under a key, if the account still owns it, unretired."""
        status = await self._metadata.published(self._signer.address, key)
        if status is None or status.state == "retired":
            return None
        if status.owner is not None and status.owner.lower() != self._signer.address.lower():
            return None
        ddo = read_ddo(await self._metadata.document(status.did, status.checksum))
        verify_checksum(ddo, status.checksum)
        if creator_of(ddo) != self._signer.address:
            raise InsituError("ChecksumMismatch", f"the catalogue says that {status.did} is ours, but it is not")
        return ddo

    async def revise(self, ddo: Ddo, services: Sequence[JsonObject], *, without_compute: bool = False) -> Asset:
        """Publish and register a new version. Repeating it is harmless.

        Raises ``NotDIDOwner``, ``VersionNotAllowed``, ``InvalidDocument``.
        """
        unsigned = revise_ddo(ddo, services, self._signer.address, format_time(datetime.now(UTC)))
        require_allowed_change(ddo, read_ddo(unsigned.document), (self._chain.agreements.contract,))
        revised = unsigned.signed(self._signer.sign_digest(unsigned.digest))
        validate_ddo(revised, without_compute=without_compute, new=True)
        await self._metadata.update(revised.to_json(), without_compute=without_compute)
        mined = await self._register(revised, unsigned.checksum, update=True)
        return await self._wait_until_listed(revised, unsigned.checksum, mined)

    async def _assemble(
        self, description: Description, publisher_public_key: str | None, *, without_compute: bool
    ) -> UnsignedDdo:
        creator, created = self._signer.address, datetime.now(UTC)
        files = public_files(description.files) if description.names_urls else description.files
        surroundings = Surroundings(
            metadata_address=self._metadata.address,
            gateway_url=self._gateway.url,
            contract=self._chain.agreements.contract,
            chain_id=self._chain.agreements.chain_id,
        )
        owner, taken = _key_owner(publisher_public_key), set[Did]()
        while True:
            moment = format_time(created)
            services = complete_services(description, files, surroundings, creator, moment)
            did, checksums = identify(services, creator)
            if did in taken:
                raise InsituError("DIDExists", f"{did} is registered with other files or details", did=str(did))
            if await self._chain.did_record(str(did)) is None:
                break
            # Assets that differ only in what is sealed have the same DID if made in the same second.
            taken.add(did)
            created += timedelta(seconds=1)
        if description.names_urls:
            services = with_sealed_list(services, await self.seal(str(did), description.files, checksums))
        unsigned = assemble_ddo(services, creator, moment, public_key_owner=owner)
        # Form and meaning are checked before anything is published; they do not depend on the signature.
        validate_ddo(unsigned.signed(bytes(65)), without_compute=without_compute)
        return unsigned

    async def require_valid(self, asset_metadata: Mapping[str, Any]) -> None:
        """Refuse an invalid description before its files are uploaded. Raises ``InvalidDocument`` and related codes."""
        await self._assemble(read_description(asset_metadata, ()), None, without_compute=False)

    async def seal(self, did: str, files: Sequence[JsonObject], checksums: Mapping[str, str] | None = None) -> str:
        """Let the gateway seal a list of files for a DID: a new one with the services' checksums, or one we own."""
        checksum = dict(checksums) if checksums is not None else None
        request = EncryptRequest(did=did, checksum=checksum, files=tuple(files))
        return (await self._gateway.encrypt(request)).encrypted_files

    async def _publish_and_register(self, ddo: Ddo, key: str, *, without_compute: bool) -> Asset:
        """Publish and register a signed document (P2, P3), from wherever an earlier attempt stopped."""
        status = await self._metadata.publish(ddo.to_json(), key=key, without_compute=without_compute)
        if status.did != ddo.id:
            # The same call ran twice at once, or the equal asset is no longer ours and this one is new.
            earlier = await self.find_earlier(key)
            if earlier is not None:
                return await self._publish_and_register(earlier, key, without_compute=without_compute)
            status = await self._metadata.publish(ddo.to_json(), without_compute=without_compute)
        checksum = onchain_checksum(ddo)
        mined = await self._register(ddo, checksum)
        record = await self._chain.did_record(str(ddo.did))
        if record is not None and record.checksum.removeprefix("0x") != checksum:
            raise InsituError("DIDExists", f"{ddo.did} is registered with other files or details", did=ddo.id)
        return await self._wait_until_listed(ddo, checksum, mined)

    async def _register(self, ddo: Ddo, checksum: str, *, update: bool = False) -> Mined | None:
        """Register a document: its DID, or with ``update`` a new version of it. None if it is registered already."""
        record = await self._chain.did_record(str(ddo.did))
        if record is not None and (not update or record.checksum == checksum):
            return None
        if record is not None:
            call = update_attribute(bytes(ddo.did), bytes.fromhex(checksum), self._metadata.address)
            return await self._chain.transact(call, self._signer)
        info = await self.gateway_info()
        seed = did_seed(origin_of(ddo))
        call = register_attribute(seed, bytes.fromhex(checksum), [info.provider_address], self._metadata.address)
        try:
            return await self._chain.transact(call, self._signer)
        except InsituError as error:
            if error.code != "DIDExists":
                raise
            return None

    async def _wait_until_listed(self, ddo: Ddo, checksum: str, mined: Mined | None) -> Asset:
        did, status = str(ddo.did), None
        with anyio.move_on_after(LISTING_SECONDS):
            while not _shows(status, checksum):
                status = await self._metadata.status(did, checksum=checksum, wait=MAX_WAIT)
        if status is None or not _shows(status, checksum):
            raise InsituError("AssetNotFound", f"{did} is registered, but the catalogue does not list it yet", did=did)
        return Asset(did, ddo, checksum, status.owner or self._signer.address, mined.hash if mined else None)


def _shows(status: AssetStatus | None, checksum: str) -> bool:
    return status is not None and status.state == "listed" and status.checksum == checksum


def _identity(description: Description) -> JsonObject:
    return {
        "attributes": description.attributes,
        "files": list(description.files),
        "services": list(description.services),
    }


def _key_owner(key: str | None) -> Address | None:
    """Return the address of a key given as an address, or as a public key of 64 or 65 bytes in hexadecimal."""
    if key is None:
        return None
    digits = key.removeprefix("0x")
    if len(digits) == 40:
        return read_address("0x" + digits)
    try:
        raw = bytes.fromhex(digits)
    except ValueError:
        raw = b""
    raw = raw[1:] if len(raw) == 65 and raw[0] == 4 else raw
    if len(raw) != 64:
        raise InsituError("InvalidRequest", "a public key must be an address, or 64 or 65 bytes in hexadecimal digits")
    return read_address("0x" + keccak256(raw)[-20:].hex())
