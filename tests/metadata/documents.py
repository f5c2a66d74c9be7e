"""Signed documents for the tests of the catalogue and the SDK."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import anyio

from insitu.adapters.keys.dev import dev_signer
from insitu.domain.assembly import UnsignedDdo, assemble_ddo
from insitu.domain.canonical import JsonObject
from insitu.domain.catalogue_requests import catalogue_digest, catalogues_domain
from insitu.domain.did import Did
from insitu.domain.ledger import register_attribute, update_attribute
from insitu.domain.timestamps import format_time
from insitu.domain.typed_data import SigningDomain
from insitu.ports.chain import Chain, Mined
from insitu.ports.keys import Signer
from insitu.sdk.descriptions import Surroundings, complete_services, read_description
from insitu.sdk.offers import ComputeOffer

CONTAINER = {"image": "insitu/python", "tag": "latest", "checksum": "sha256:" + "ab" * 32}
SERVER = {
    "serverId": "small",
    "serverType": "small",
    "price": "5",
    "cpu": "1",
    "gpu": "0",
    "memory": "1gb",
    "disk": "1gb",
    "maxExecutionTime": 600,
}
_numbers = count(1)
"""Equal documents of one second have one DID; each test wants its own."""

GATEWAY = "http://gateway.test"
CATALOGUE = "http://metadata.test"
METADATA = CATALOGUE + "/api/v1/metadata/assets/ddo/{did}"


def offer(price: int = 10, **members: Any) -> JsonObject:
    values = {
        "containers": [CONTAINER],
        "servers": [SERVER],
        "algorithms": "any",
        "timeout": 3600,
        "rules": {},
    } | members
    return ComputeOffer(price=price, **values).service()


def dataset(chain: Chain, creator: Signer, name: str = "", *, price: int = 10, **members: Any) -> UnsignedDdo:
    """A data set with a compute service; ``members`` go to ``main`` or, if it knows them, additionalInformation."""
    additional = {key: members.pop(key) for key in ("description", "tags", "categories") if key in members}
    main = {
        "name": name or f"Flights, part {next(_numbers)}",
        "type": "dataset",
        "author": "Alice",
        "license": "CC0",
        "files": [{"index": 0, "contentType": "text/csv"}],
        **members,
    }
    return described(chain, creator, {"main": main, "additionalInformation": additional}, [offer(price)])


def described(chain: Chain, creator: Signer, metadata: JsonObject, services: list[JsonObject]) -> UnsignedDdo:
    description = read_description(metadata, services)
    domain = chain.agreements
    surroundings = Surroundings(METADATA, GATEWAY, domain.contract, domain.chain_id)
    created = format_time(datetime.now(UTC))
    entries = complete_services(description, description.files, surroundings, creator.address, created)
    return assemble_ddo(entries, creator.address, created)


def signed(unsigned: UnsignedDdo, signer: Signer) -> JsonObject:
    return unsigned.signed(signer.sign_digest(unsigned.digest)).to_json()


async def register(chain: Chain, unsigned: UnsignedDdo, signer: Signer) -> Mined:
    call = register_attribute(unsigned.seed, bytes.fromhex(unsigned.checksum), [], METADATA)
    return await chain.transact(call, signer)


async def register_version(chain: Chain, unsigned: UnsignedDdo, signer: Signer) -> Mined:
    call = update_attribute(bytes(unsigned.did), bytes.fromhex(unsigned.checksum), METADATA)
    return await chain.transact(call, signer)


def retirement(
    chain: Chain,
    did: str,
    signer: Signer,
    *,
    age: timedelta = timedelta(),
    catalogue: str = CATALOGUE,
    action: str = "retire",
    domain: SigningDomain | None = None,
) -> JsonObject:
    """The request of an owner, with ``age`` one that was to be used earlier."""
    members = {"catalogue": catalogue, "did": "0x" + bytes(Did.parse(did)).hex(), "action": action}
    return _for_catalogue("ListingRequest", members, signer, age, domain or _domain(chain))


def question(
    chain: Chain,
    creator: str,
    key: str,
    signer: Signer | None = None,
    *,
    age: timedelta = timedelta(),
    catalogue: str = CATALOGUE,
) -> JsonObject:
    """What a gateway asks: which asset a creator published under a key."""
    members = {"catalogue": catalogue, "creator": creator, "key": key}
    signer = signer or dev_signer("provider")
    return members | _for_catalogue("PublicationQuestion", members, signer, age, _domain(chain))


def _domain(chain: Chain) -> SigningDomain:
    return catalogues_domain(chain.agreements.chain_id, chain.contract("DIDRegistry"))


def _for_catalogue(kind: str, members: JsonObject, signer: Signer, age: timedelta, domain: SigningDomain) -> JsonObject:
    deadline = int((datetime.now(UTC) + timedelta(minutes=5) - age).timestamp())
    signature = signer.sign_digest(catalogue_digest(kind, members | {"deadline": deadline}, domain))
    return {"catalogue": members["catalogue"], "deadline": deadline, "signature": "0x" + signature.hex()}


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what another task does; fail after 20 seconds."""
    with anyio.fail_after(20):
        while not await holds():  # noqa: ASYNC110 - the other side is another process's business
            await anyio.sleep(0.02)
