"""Whether a version of a document may carry its sealed list: the chain is asked, version by version."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import anyio

from insitu.domain.canonical import sha256_hex
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.ledger import DidRegistered
from insitu.domain.sealed_list import ListedVersion, may_carry, sealed_text
from insitu.gateway.ports import GatewayPorts
from insitu.sdk.resolving import ResolvedAsset

KEPT = 10_000
"""Number of versions whose texts are remembered."""
PATIENCE = 20.0
"""Seconds for one search of earlier versions. What it read is remembered, so the next search continues there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageChecker:
    """Applies :func:`insitu.domain.sealed_list.may_carry` to the registered versions.

    Nearly always the sealer registered the version, and nothing is asked. Otherwise the chain leads from each version
    to the one before, and the checksum proves its document.
    """

    ports: GatewayPorts
    _texts: OrderedDict[tuple[str, str], str | None] = field(init=False, default_factory=OrderedDict)

    async def require(self, asset: ResolvedAsset, sealer: Address) -> None:
        """Refuse a list that its sealer did not put into this version and that no earlier version handed on.

        Raises ``ListNotAllowed``; ``AssetNotFound`` when earlier versions cannot be read now; ``ChainUnavailable``,
        ``PeerUnavailable``.
        """
        text = _digest(sealed_text(asset.ddo))
        allowed = may_carry(ListedVersion(asset.version, asset.registrant, text), text, sealer)
        if allowed is None:
            allowed = await self._handed_over(asset, text, sealer)
        if not allowed:
            detail = f"{asset.registrant} registered version {asset.version} of {asset.did} with a list that {sealer} "
            raise InsituError("ListNotAllowed", detail + "sealed, and the version before had another", did=asset.did)

    async def _handed_over(self, asset: ResolvedAsset, text: object, sealer: Address) -> bool:
        with anyio.move_on_after(PATIENCE):
            async for event in self.ports.chain.registrations(asset.did):
                if event.version >= asset.version:
                    continue
                registrant = asset.creator if event.version == 1 else event.owner
                earlier = ListedVersion(event.version, registrant, await self._text(asset, event))
                allowed = may_carry(earlier, text, sealer)
                if allowed is not None:
                    return allowed
        detail = f"the lists of the versions of {asset.did} before {asset.version} could not be read yet"
        raise InsituError("AssetNotFound", detail, did=asset.did)

    async def _text(self, asset: ResolvedAsset, event: DidRegistered) -> str | None:
        key = (event.did, event.checksum)
        if key not in self._texts:
            self._texts[key] = _digest(sealed_text((await self.ports.resolver.read(asset.record, event)).ddo))
        self._texts.move_to_end(key)
        text = self._texts[key]
        if len(self._texts) > KEPT:
            self._texts.popitem(last=False)
        return text


def _digest(text: Any) -> str | None:
    return sha256_hex(text.encode("utf-8", "surrogatepass")) if isinstance(text, str) else None
