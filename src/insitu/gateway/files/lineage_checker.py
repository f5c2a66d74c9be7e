"""Whether the current version of a document may carry its sealed list: the chain is asked, version by version."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import anyio

from insitu.domain.canonical import sha256_hex
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.sealed_list import ListedVersion, may_carry, sealed_text
from insitu.gateway.ports import GatewayPorts
from insitu.ports.catalog import RegisteredVersion
from insitu.sdk.resolving import ResolvedAsset

__all__ = ["LineageChecker"]

KEPT = 10_000
"""Number of versions that are remembered."""
PATIENCE = 20.0
"""Seconds for one search of earlier versions. What it proved is remembered, so the next search continues there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageChecker:
    """Applies :func:`insitu.domain.sealed_list.may_carry` to the registered versions.

    Nearly always the sealer registered the current version, and nothing is asked. Otherwise this gateway's catalogue
    lists the earlier versions, as far as its page goes. That proves nothing, so the chain is asked about each version,
    and the checksum proves its document. A proved version is remembered with its block, so it is asked for again
    after a reorganisation.
    """

    ports: GatewayPorts
    _proved: OrderedDict[tuple[str, RegisteredVersion], ListedVersion] = field(init=False, default_factory=OrderedDict)

    async def require(self, asset: ResolvedAsset, creator: Address, sealer: Address) -> None:
        """Refuse a list that its sealer did not put into the current version and that no earlier version handed on.

        Raises ``ListNotAllowed``; ``AssetNotFound`` when earlier versions cannot be proved now; ``ChainUnavailable``,
        ``PeerUnavailable``.
        """
        record, text = asset.record, _digest(sealed_text(asset.ddo))
        if asset.checksum != record.checksum:
            raise InsituError("ListNotAllowed", f"{asset.did} has a newer version, whose list counts", did=asset.did)
        registrant = creator if record.version == 1 else record.registrant
        allowed = may_carry(ListedVersion(record.version, registrant, text), text, sealer)
        if allowed is None:
            allowed = await self._handed_over(asset, text, creator, sealer)
        if not allowed:
            detail = (
                f"{registrant} registered version {record.version} of {asset.did} with a list that {sealer} sealed, "
            )
            raise InsituError("ListNotAllowed", detail + "and that the version before did not carry", did=asset.did)

    async def _handed_over(self, asset: ResolvedAsset, text: object, creator: Address, sealer: Address) -> bool:
        did, present = asset.did, asset.record.version
        with anyio.move_on_after(PATIENCE):
            known = await self.ports.metadata.versions(did, present)
            for number, said in zip(range(present - 1, 0, -1), known, strict=False):
                if said.version != number:
                    break
                allowed = may_carry(await self._version(did, said, creator), text, sealer)
                if allowed is not None:
                    return allowed
        detail = f"which list the versions of {did} before {present} carried could not be proved yet"
        raise InsituError("AssetNotFound", detail, did=did)

    async def _version(self, did: str, said: RegisteredVersion, creator: Address) -> ListedVersion:
        if (did, said) not in self._proved:
            event = await self.ports.chain.registration(did, said.version, said.block)
            if event is None or event.checksum != said.checksum:
                detail = f"the chain does not have version {said.version} of {did} where the catalogue has it"
                raise InsituError("AssetNotFound", detail, did=did)
            ddo = await self.ports.resolver.version(event.url, did, event.checksum)
            registrant = creator if said.version == 1 else event.owner
            self._proved[did, said] = ListedVersion(said.version, registrant, _digest(sealed_text(ddo)))
        found = self._proved[did, said]
        self._proved.move_to_end((did, said))
        if len(self._proved) > KEPT:
            self._proved.popitem(last=False)
        return found


def _digest(text: Any) -> str | None:
    return sha256_hex(text.encode("utf-8", "surrogatepass")) if isinstance(text, str) else None
