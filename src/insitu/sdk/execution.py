"""One execution, from its consumer's view: watch, wait, read, stop (E9)."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
from typing_extensions import override

from insitu.api.gateway_v1 import EventView, ExecutionView, LogView, ReceiptView, ResultView
from insitu.domain.execution import ENDED
from insitu.domain.ids import AgreementId, ExecutionId
from insitu.domain.receipt_opening import Opening
from insitu.sdk.downloads import Destination
from insitu.sdk.gateway import GatewayClient
from insitu.sdk.receiving import ExpectedFile, receive


class Execution:
    """An execution at a gateway. It only has the two ids, so you can make it again at any time, from anywhere."""

    def __init__(self, gateway: GatewayClient, agreement_id: AgreementId, execution_id: ExecutionId) -> None:
        self._gateway = gateway
        self.agreement_id = agreement_id
        """serviceAgreementId"""
        self.execution_id = execution_id
        """workflowExecutionId"""

    @override
    def __repr__(self) -> str:
        return f"Execution({self.execution_id} of {self.agreement_id})"

    async def status(self) -> ExecutionView:
        """Return where it stands, and why."""
        return await self._gateway.status(self.agreement_id, self.execution_id)

    async def events(self, after: int | None = None) -> AsyncIterator[EventView]:
        """Yield its events after number ``after`` until it ends, resuming after a broken connection."""
        async for event in self._gateway.events(self.agreement_id, self.execution_id, after=after):
            yield event

    async def logs(self, *, follow: bool = True, after: str | None = None) -> AsyncIterator[LogView]:
        """Yield what its stages print until it ends or, without ``follow``, what they have printed so far.

        A last piece with ``notice`` says why no more is shown. Raises ``NotConsumer`` if the owner's policy does not
        show logs.
        """
        async for piece in self._gateway.logs(self.agreement_id, self.execution_id, follow_on=follow, after=after):
            yield piece

    async def stream(self) -> AsyncIterator[EventView | LogView]:
        """Yield its events and what its stages print as it happens, in one stream, until it ends.

        There is no log in it if the owner's policy does not show logs.
        """
        async for happened in self._gateway.stream(self.agreement_id, self.execution_id):
            yield happened

    async def wait(self, seconds: float | None = None) -> ExecutionView:
        """Return its status once it has ended and everything after that is done, or after ``seconds``."""
        with anyio.move_on_after(seconds):
            async for _ in self.events():
                continue
        return await self.status()

    async def ended(self) -> bool:
        """Return whether it has ended."""
        return (await self.status()).phase in ENDED

    async def result(self) -> ResultView:
        """Return the new asset and its files. Raises ``ExecutionNotEnded``, ``NoResult``."""
        return await self._gateway.result(self.agreement_id, self.execution_id)

    async def download(self, folder: Path | str | None = None, *, overwrite: bool = False) -> list[Path]:
        """Download and verify the files of the result, and return their paths.

        Repeating it is harmless: files that are there and correct are not fetched again.

        Parameters
        ----------
        folder
            A new or an empty folder; by default one named after the execution.
        overwrite
            Replace files of the same names.

        Raises ``FolderNotEmpty`` before anything is fetched, ``ResultExpired``, ``ChecksumMismatch``.
        """
        result = await self.result()
        into = Destination(self.execution_id if folder is None else folder, overwrite=overwrite)
        files = {file.index: ExpectedFile(file.name, file.checksum.removeprefix("sha256:")) for file in result.files}
        return list((await receive(self._gateway, result.did, into, files)).values())

    async def receipt(self) -> ReceiptView:
        """Return the signed receipt and what releases the payment."""
        return await self._gateway.receipt(self.agreement_id, self.execution_id)

    async def opening(self) -> Opening:
        """Return what the receipt's salted hashes stand for, file by file, for an owner of an input or the provider.

        Raises ``NotConsumer`` for anyone else, ``ExecutionNotEnded``.
        """
        return await self._gateway.opening(self.agreement_id, self.execution_id)

    async def stop(self) -> ExecutionView:
        """Stop it. An ended execution stays as it is."""
        return await self._gateway.stop(self.agreement_id, self.execution_id)
