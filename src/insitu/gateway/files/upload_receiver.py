"""Uploads: space is reserved before the first byte arrives, and an upload that no asset names is deleted.

Accounts cost nothing, so all accounts without a stake share one part of the space, and each network of clients gets a
share of that part.
"""

import logging
import secrets
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

import anyio

from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.service import File
from insitu.gateway.files.list_reader import ListReader
from insitu.gateway.files.source_opener import upload_url
from insitu.gateway.ports import GatewayPorts
from insitu.ports.agreement_changes import AddUpload, NameUploads
from insitu.ports.agreement_records import Upload, UploadLimits

logger = logging.getLogger(__name__)

UNNAMED = timedelta(days=1)
"""An upload that no registered asset names is deleted after this time."""
PERIOD = timedelta(minutes=1)
LOOK_AGAIN = 8 * 1024 * 1024
"""Bytes after which the free disk space is checked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadReceiver:
    """Receives files from publishers, notes which lists name them, and deletes those that no list names."""

    ports: GatewayPorts
    list_reader: ListReader

    async def receive(
        self, owner: Address, chunks: AsyncIterator[bytes], *, announced: int | None, network: str
    ) -> Upload:
        """Store a file of ``announced`` bytes, if that is known, from a network of clients.

        Raises ``BodyTooLarge``, ``UploadShareUsed``, ``UploadsFull``; then nothing is stored.
        """
        largest = self.ports.configuration.upload_bytes
        wanted = largest if announced is None else announced
        if wanted > largest:
            raise InsituError("BodyTooLarge", f"more than {largest} bytes", limit=largest)
        await self._require_disk(announced or 0)
        limits = await self._limits(owner, network)
        upload = Upload(secrets.token_hex(16), owner, "", wanted, self.ports.clock.now())
        room = await self.ports.agreements.reserve_upload(upload, announced or 0, limits)
        try:
            sha256 = await self.ports.blobs.put(self._watch_disk(chunks), limit=room)
            upload = replace(upload, sha256=sha256, size=await self.ports.blobs.size(sha256) or 0)
            await self.ports.agreements.apply([AddUpload(upload)])
        except BaseException as error:
            with anyio.CancelScope(shield=True):
                await self.ports.agreements.remove_uploads([upload.upload_id], self.ports.clock.now())
            if isinstance(error, InsituError) and error.code == "BodyTooLarge" and room < largest:
                raise InsituError("UploadShareUsed", f"there is room for {room} bytes", limit=limits.share) from None
            raise
        return upload

    async def name(self, did: str, owner: Address, files: Iterable[File]) -> None:
        """Note that a list of this DID names uploads of the owner. Done before they are used, so none is deleted."""
        prefix = upload_url("")
        ids = tuple(file.url.removeprefix(prefix) for file in files if file.url and file.url.startswith(prefix))
        if ids:
            await self.ports.agreements.apply([NameUploads(did, owner, ids, self.ports.clock.now())])

    async def run(self) -> None:
        """Sweep until cancelled. A worker of its own, because the documents it reads may be behind slow urls."""
        while True:
            try:
                await self.sweep()
            except InsituError as error:
                logger.warning("uploads cannot be swept now: %s", error)
            await self.ports.clock.sleep_until(self.ports.clock.now() + PERIOD)

    async def sweep(self) -> None:
        """Delete uploads older than a day that no registered asset names. In case of doubt an upload stays."""
        now = self.ports.clock.now()
        dropped: list[str] = []
        for upload, dids in await self.ports.agreements.unnamed_uploads(now - UNNAMED):
            if await self._is_needed(upload, dids):
                # As if it had been sealed again: it is not checked for another day.
                named = [NameUploads(did, upload.owner, (upload.upload_id,), now, needed=True) for did in dids]
                await self.ports.agreements.apply(named)
            else:
                dropped.append(upload.upload_id)
        if dropped:
            logger.info("%d uploads that no registered asset names are deleted", len(dropped))
            for sha256 in await self.ports.agreements.remove_uploads(dropped, now - UNNAMED):
                await self.ports.blobs.remove(sha256, before=now - UNNAMED)

    async def _is_needed(self, upload: Upload, dids: tuple[str, ...]) -> bool:
        """Return whether a registered DID names it, in its current version or in one that was bought."""
        try:
            for did in dids:
                if await self.ports.chain.did_record(did) is None:
                    continue
                listed = await self.list_reader.open(await self.ports.resolver.resolve(did))
                if any(file.url == upload_url(upload.upload_id) for file in listed.files):
                    return True
                if await self.ports.agreements.uses(did):
                    return True
        except InsituError as error:
            logger.info("upload %s stays, because it is unknown whether it is needed: %s", upload.upload_id, error)
            return True
        return False

    async def _limits(self, owner: Address, network: str) -> UploadLimits:
        chosen = self.ports.configuration
        stranger = await self.ports.chain.native_balance(owner) < chosen.stake
        return UploadLimits(
            holder=network if stranger else owner.lower(),
            share=chosen.uploads_per_network if stranger else chosen.uploads_per_account,
            stranger=stranger,
            strangers=chosen.uploads_of_strangers,
            total=chosen.uploads_total,
        )

    async def _watch_disk(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        received = 0
        async for chunk in chunks:
            before, received = received, received + len(chunk)
            if received // LOOK_AGAIN > before // LOOK_AGAIN:
                await self._require_disk(0)
            yield chunk

    async def _require_disk(self, wanted: int) -> None:
        free, floor = await self.ports.blobs.free(), self.ports.configuration.free_disk
        if free is not None and free - wanted < floor:
            raise InsituError("UploadsFull", f"the disk has {free} bytes left, and {floor} must stay free")
