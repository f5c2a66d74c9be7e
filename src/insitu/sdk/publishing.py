"""Publishing (P1–P3) as one call that can be repeated: describe, seal, sign, publish, register, await the listing."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio

from insitu.api.gateway_v1 import EncryptRequest, GatewayInfo
from insitu.api.metadata_v1 import MAX_WAIT, AssetStatus
from insitu.domain.assembly import (
    UnsignedDdo,
    assemble_ddo,
    identify,
    revise_ddo,
    unsigned_again,
    with_sealed_list,
)
from insitu.domain.canonical import JsonObject, keccak256, plain_json
from insitu.domain.ddo import Ddo, read_ddo
from insitu.domain.did import Did
from insitu.domain.errors import InsituError, NotFound
from insitu.domain.ids import Address, read_address
from insitu.domain.integrity import creator_of, onchain_checksum, request_of, signed_proof, verify_checksum
from insitu.domain.ledger import register_attribute, update_attribute
from insitu.domain.publication_key import publication_key
from insitu.domain.sealed_list import public_files
from insitu.domain.signed_request import SignedRequest
from insitu.domain.timestamps import format_time
from insitu.domain.validation import validate_ddo
from insitu.domain.versions import require_allowed_change
from insitu.ports.chain import Chain
from insitu.ports.keys import Signer
from insitu.sdk.descriptions import (
    Description,
    Surroundings,
    complete_services,
    describe_contents,
    identity_of,
    read_description,
)
from insitu.sdk.gateway import GatewayClient
from insitu.sdk.metadata import MetadataClient
from insitu.sdk.quotes import require_key
from insitu.sdk.registrations import Registrations

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


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that is ready to be signed, published and registered, under the key of its description."""

    unsigned: UnsignedDdo
    key: str | None
    without_compute: bool = False
    description: Description | None = None


class Publisher:
    """Publishes assets of one account in one catalogue, with one gateway as their provider."""

    def __init__(self, chain: Chain, signer: Signer, metadata: MetadataClient, gateway: GatewayClient) -> None:
        self._chain = chain
        self._signer = signer
        self._metadata = metadata
        self._gateway = gateway
        self._registrations = Registrations(chain, signer, gateway, metadata)

    @property
    def account(self) -> Address:
        """The account that publishes."""
        return self._signer.address

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

    async def register(self, prepared: Prepared) -> Asset:
        """Publish and register an asset, or find the equal one of an earlier call; see ``Assets.register_asset``."""
        return (await self.register_all([prepared]))[0]

    async def prepare(
        self,
        asset_metadata: Mapping[str, Any],
        services: Sequence[Mapping[str, Any]] = (),
        publisher_public_key: str | None = None,
        *,
        without_compute: bool = False,
        identity: Mapping[str, Any] | None = None,
    ) -> Prepared:
        """Make the document of an asset, or find that of an earlier call. Nothing is signed or published.

        ``identity`` says what makes two calls equal, by default the description itself.
        """
        description = read_description(asset_metadata, services)
        given = {"attributes": dict(asset_metadata), "services": list(services)}
        key = self.key_of(identity if identity is not None else given)
        earlier = await self.find_earlier(key, description)
        if earlier is not None:
            return Prepared(unsigned_again(earlier), key, without_compute, description)
        unsigned = await self._assemble(description, publisher_public_key, without_compute=without_compute)
        return Prepared(unsigned, key, without_compute, description)

    async def register_all(self, prepared: Sequence[Prepared]) -> list[Asset]:
        """Publish and register documents (P2, P3), with one signature if that is possible, and await their listing.

        What an earlier call registered is only awaited. Raises ``DIDExists`` if another document has a DID by now.
        """
        new = []
        for item in prepared:
            record = await self._chain.did_record(str(item.unsigned.did))
            if record is None:
                new.append(item)
            elif record.checksum.removeprefix("0x") != item.unsigned.checksum:
                did = str(item.unsigned.did)
                raise InsituError("DIDExists", f"{did} is registered with other files or details", did=did)
        info = await self.gateway_info()
        request = None
        if new and await self._registrations.is_wanted(info):
            request = await self._registrations.sign([item.unsigned for item in new], info)
        for item in new:
            if await self._publish(item, request):
                continue
            # The same call ran twice at once, or the equal asset is no longer ours and this one is new.
            earlier = None
            if len(prepared) == 1 and item.key is not None and item.description is not None:
                earlier = await self.find_earlier(item.key, item.description)
            if earlier is not None:
                # Without a key, so that a catalogue that answers with another asset again changes nothing.
                return await self.register_all([replace(item, unsigned=unsigned_again(earlier), key=None)])
            await self._publish(replace(item, key=None), request)
        sent = await self._registrations.send(request) if request is not None else None
        transactions = {item.unsigned.did: sent or await self._register(item.unsigned, info) for item in new}
        return [await self._wait_until_listed(item.unsigned, transactions.get(item.unsigned.did)) for item in prepared]

    def key_of(self, identity: Mapping[str, Any]) -> str:
        """Return the Idempotency-Key of a description; see :func:`insitu.domain.publication_key.publication_key`."""
        chain_id, registry = self._chain.agreements.chain_id, self._chain.contract("DIDRegistry")
        described = plain_json(dict(identity))
        digests = self._gateway.uploaded
        return publication_key(chain_id, registry, self._gateway.url, self._signer.address, described, digests)

    async def find_earlier(self, key: str, description: Description) -> Ddo | None:
        """Return the document that this account published under a key, if the account still owns it, unretired.

        Gateway and catalogue only say where to look. A document counts if its DID is that of this description, and if
        it is registered or this account signed it; otherwise its own signature would approve what others wrote.
        """
        status = await self._gateway.publication(key)
        if status is None or status.state == "retired":
            return None
        record = await self._chain.did_record(status.did)
        if record is not None and record.owner.lower() != self._signer.address.lower():
            return None
        ddo = read_ddo(await self._metadata.document(status.did, status.checksum))
        verify_checksum(ddo, status.checksum)
        if creator_of(ddo) != self._signer.address:
            raise InsituError("ChecksumMismatch", f"the catalogue says that {status.did} is ours, but it is not")
        services = self._services(description, str(ddo.created))
        if identify(services, self._signer.address)[0] != ddo.did:
            return None
        return ddo if record is not None or await self._is_signed(ddo) else None

    async def _is_signed(self, ddo: Ddo) -> bool:
        """Return whether this account signed a document, or a request that registers it."""
        try:
            digest, signature, _ = signed_proof(ddo)
        except InsituError:
            return False
        return await self._chain.signed_by(self._signer.address, digest, signature)

    def _services(self, description: Description, created: str) -> list[JsonObject]:
        """Return the entries of ``service[]`` of a document that is made at this time, without a sealed list."""
        surroundings = Surroundings(
            metadata_address=self._metadata.address,
            gateway_url=self._gateway.url,
            contract=self._chain.agreements.contract,
            chain_id=self._chain.agreements.chain_id,
        )
        files = public_files(description.files) if description.names_urls else description.files
        return complete_services(description, files, surroundings, self._signer.address, created)

    async def revise(self, ddo: Ddo, services: Sequence[JsonObject]) -> Asset:
        """Publish and register a new version. Repeating it is harmless.

        Raises ``NotDIDOwner``, ``VersionNotAllowed``, ``InvalidDocument``.
        """
        return (await self.register_versions([self.propose(ddo, services, format_time(datetime.now(UTC)))]))[0]

    def propose(self, ddo: Ddo, services: Sequence[JsonObject], updated: str) -> UnsignedDdo:
        """Make a new version with this time. Raises ``VersionNotAllowed``, ``InvalidDocument``."""
        unsigned = revise_ddo(ddo, services, self._signer.address, updated)
        require_allowed_change(ddo, unsigned.ddo, (self._chain.agreements.contract,))
        validate_ddo(unsigned.signed(bytes(65)), without_compute=True, new=True)
        return unsigned

    async def find_waiting(self, did: str) -> tuple[UnsignedDdo, SignedRequest] | None:
        """Return the next version that an interrupted call has published, and the request that still registers it.

        The catalogue only says where to look: this account has signed the request, which names the document.
        """
        with suppress(NotFound):
            pending = (await self._metadata.status(did)).pending
            ddo = read_ddo(await self._metadata.document(did, pending)) if pending is not None else None
            request = request_of(ddo) if ddo is not None else None
            if ddo is not None and request is not None and (did, onchain_checksum(ddo)) in request.versions:
                return (unsigned_again(ddo), request) if await self._registrations.is_sendable(request) else None
        return None

    async def register_versions(
        self, versions: Sequence[UnsignedDdo], request: SignedRequest | None = None
    ) -> list[Asset]:
        """Publish and register new versions, several with one signature, and await their listing.

        ``request`` is what an earlier call has signed for them. Raises ``NotDIDOwner``, ``VersionMismatch``, and what
        relaying raises.
        """
        info = await self.gateway_info()
        if request is None and (len(versions) > 1 or await self._registrations.is_wanted(info)):
            request = await self._registrations.sign_updates(versions)
        for unsigned in versions:
            await self._metadata.update(self._proved(unsigned, request).to_json(), without_compute=True)
        if request is not None:
            transaction = await self._registrations.send(request)
        else:
            (only,) = versions
            call = update_attribute(bytes(only.did), bytes.fromhex(only.checksum), self._metadata.address)
            transaction = (await self._chain.transact(call, self._signer)).hash
        return [await self._wait_until_listed(unsigned, transaction) for unsigned in versions]

    async def _assemble(
        self, description: Description, publisher_public_key: str | None, *, without_compute: bool
    ) -> UnsignedDdo:
        creator, created = self._signer.address, datetime.now(UTC)
        owner, taken = _key_owner(publisher_public_key), set[Did]()
        while True:
            moment = format_time(created)
            services = self._services(description, moment)
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

    async def prepare_algorithm(self, attributes: JsonObject, contents: Mapping[str, bytes]) -> Prepared:
        """Upload the files of an algorithm unless an equal one is published, and make its document."""
        identity = identity_of(attributes, contents)
        earlier = await self.find_algorithm(attributes, contents)
        if earlier is not None:
            return Prepared(unsigned_again(earlier), self.key_of(identity))
        attributes["main"]["files"] = describe_contents(contents)
        await self.require_valid(attributes)
        attributes["main"]["files"] = await self.upload(contents)
        return await self.prepare(attributes, identity=identity)

    async def find_algorithm(self, attributes: JsonObject, contents: Mapping[str, bytes]) -> Ddo | None:
        """Return the document of an equal algorithm that this account published, as :meth:`find_earlier`."""
        files = list(public_files(describe_contents(contents)))
        described = attributes | {"main": attributes["main"] | {"files": files}}
        return await self.find_earlier(self.key_of(identity_of(attributes, contents)), read_description(described, ()))

    async def upload(self, contents: Mapping[str, bytes]) -> list[JsonObject]:
        """Upload files, and describe them with their urls."""
        described = describe_contents(contents)
        return [file | {"url": (await self._gateway.upload(contents[file["name"]])).url} for file in described]

    async def seal(self, did: str, files: Sequence[JsonObject], checksums: Mapping[str, str] | None = None) -> str:
        """Let the gateway seal a list of files for a DID: a new one with the services' checksums, or one we own."""
        checksum = dict(checksums) if checksums is not None else None
        request = EncryptRequest(did=did, checksum=checksum, files=tuple(files))
        return (await self._gateway.encrypt(request)).encrypted_files

    def _proved(self, unsigned: UnsignedDdo, request: SignedRequest | None) -> Ddo:
        """Return the document with the request as its proof, or with a signature of its own."""
        if request is not None:
            return unsigned.proved_by(request)
        return unsigned.signed(self._signer.sign_digest(unsigned.digest))

    async def _publish(self, item: Prepared, request: SignedRequest | None) -> bool:
        """Publish a document, and return whether its key is not that of another asset."""
        document = self._proved(item.unsigned, request).to_json()
        status = await self._metadata.publish(document, key=item.key, without_compute=item.without_compute)
        return status.did == str(item.unsigned.did)

    async def _register(self, unsigned: UnsignedDdo, info: GatewayInfo) -> str | None:
        checksum = bytes.fromhex(unsigned.checksum)
        call = register_attribute(unsigned.seed, checksum, [info.provider_address], self._metadata.address)
        try:
            return (await self._chain.transact(call, self._signer)).hash
        except InsituError as error:
            if error.code != "DIDExists":
                raise
            return None

    async def _wait_until_listed(self, unsigned: UnsignedDdo, transaction: str | None) -> Asset:
        did, status = str(unsigned.did), None
        with anyio.move_on_after(LISTING_SECONDS):
            while not _shows(status, unsigned.checksum):
                status = await self._metadata.status(did, checksum=unsigned.checksum, wait=MAX_WAIT)
        if status is None or not _shows(status, unsigned.checksum):
            raise InsituError("AssetNotFound", f"{did} is registered, but the catalogue does not list it yet", did=did)
        ddo = read_ddo(await self._metadata.document(did, unsigned.checksum))
        verify_checksum(ddo, unsigned.checksum)
        return Asset(did, ddo, unsigned.checksum, status.owner or self._signer.address, transaction)


def _shows(status: AssetStatus | None, checksum: str) -> bool:
    return status is not None and status.state not in ("pending", "retired") and status.checksum == checksum


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
