"""Which versions of the inputs an agreement buys: its terms prove them, and the chain has them all (C3, C7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from insitu.domain.agreement import Terms
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.inputs_hash import inputs_hash
from insitu.domain.workflow import read_workflow
from insitu.gateway.ports import GatewayPorts

RECENT = 20
"""Registrations that are undone for terms that are not sold yet, so that nobody makes us read whole histories."""
ALL = 1000
"""Registrations that are undone for an agreement whose versions this gateway did not note."""


@dataclass(frozen=True, slots=True)
class EarlierVersions:
    """Versions that were registered at the same time: DID → on-chain checksum, in the workflow's order.

    ``replaced`` is when the first of them had a successor, in seconds since 1970; None if all are current.
    """

    versions: Mapping[str, str]
    replaced: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionKeeper:
    """Finds what an ``inputsHash`` buys. The gateway's own notes count only if they have this hash."""

    ports: GatewayPorts

    async def prove(self, terms: Terms, noted: Mapping[str, str]) -> Mapping[str, str]:
        """Return which versions a sold agreement bought: as noted, or as the chain once had them.

        Raises ``BoughtVersionUnknown``, ``ChainUnavailable``, and what resolving the bought workflow raises.
        """
        if inputs_hash(tuple(noted.items())) == terms.inputs_hash:
            return noted
        asset = await self.ports.resolver.resolve(str(Did.from_hex(terms.workflow_id)), terms.workflow_hash)
        found = await self.find(terms.inputs_hash, read_workflow(asset.ddo).input_dids, steps=ALL)
        if found is None:
            detail = f"the inputs never had versions with the inputsHash {terms.inputs_hash} of the terms"
            raise InsituError("BoughtVersionUnknown", detail)
        return found.versions

    async def find(self, bought: str, dids: Sequence[str], *, steps: int = RECENT) -> EarlierVersions | None:
        """Return the newest versions with this hash, or None. The registrations are undone one by one, newest first.

        Raises ``ChainUnavailable``.
        """
        walks = {did: self.ports.chain.registrations(did) for did in dids}
        heads = {did: await anext(walk, None) for did, walk in walks.items()}
        replaced: int | None = None
        for _ in range(steps):
            events = [event for event in heads.values() if event is not None]
            if len(events) < len(dids):
                return None
            versions = {event.did: event.checksum for event in events}
            if inputs_hash(tuple(versions.items())) == bought:
                return EarlierVersions(versions, await self.ports.chain.time(replaced) if replaced else None)
            newest = max(events, key=lambda event: event.block)
            if newest.version == 1:
                return None
            replaced = newest.block
            heads[newest.did] = await anext(walks[newest.did], None)
        return None
