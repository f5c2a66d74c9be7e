"""What owners do with their assets: new versions by hand, and a sale."""

from collections.abc import Callable
from typing import Any

from insitu.domain.assembly import revise_ddo
from insitu.domain.canonical import JsonObject
from insitu.domain.ddo import Ddo
from insitu.domain.ledger import transfer_ownership, update_attribute
from insitu.domain.timestamps import format_time
from tests.gateway.world import World

__all__ = ["document", "propose", "register", "revise", "revise_main", "sell"]


async def document(provider: World, did: str) -> Ddo:
    return (await provider.desk.ports.resolver.resolve(did)).ddo


async def propose(provider: World, who: str, did: str, edit: Callable[[list[JsonObject]], None]) -> str:
    """Publish a new version in the name of ``who``, without registering it. Return its checksum."""
    ddo, signer = await document(provider, did), provider.people[who]
    services: list[JsonObject] = [service.to_json() for service in ddo.service]
    edit(services)
    unsigned = revise_ddo(ddo, services, signer.address, format_time(provider.gateway.ports.clock.now()))
    revised = unsigned.signed(signer.sign_digest(unsigned.digest)).to_json()
    await provider.metadata.update(did, revised, without_compute=True)
    return unsigned.checksum


async def revise(provider: World, who: str, did: str, **attributes: Any) -> str:
    """Register a new version in the name of ``who`` with other attributes of metadata. Return its checksum."""

    def edit(services: list[JsonObject]) -> None:
        services[0]["attributes"] |= attributes

    checksum = await propose(provider, who, did, edit)
    await register(provider, who, did, checksum)
    return checksum


async def revise_main(provider: World, who: str, did: str, position: int = 0, **members: Any) -> str:
    """Register a new version in which a ``main`` has other members. Return its checksum."""

    def edit(services: list[JsonObject]) -> None:
        services[position]["attributes"]["main"] |= members

    checksum = await propose(provider, who, did, edit)
    await register(provider, who, did, checksum)
    return checksum


async def register(provider: World, who: str, did: str, checksum: str) -> None:
    ddo = await document(provider, did)
    call = update_attribute(bytes(ddo.did), bytes.fromhex(checksum), provider.configuration.metadata_url)
    await provider.chain.transact(call, provider.people[who])
    await provider.metadata.status(did, checksum, wait=20)


async def sell(provider: World, owner: str, did: str, new_owner: str) -> None:
    call = transfer_ownership(bytes((await document(provider, did)).did), provider.address(new_owner))
    await provider.chain.transact(call, provider.people[owner])
