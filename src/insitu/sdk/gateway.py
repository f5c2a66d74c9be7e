"""A client of one GATEWAY: check, exec, and everything about executions (C8, E9, E10)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from insitu.api import gateway_v1 as wire
from insitu.api.agreements_v1 import AgreementList, Desk
from insitu.api.archive import ArchivedFile, read_archive
from insitu.api.budgets_v1 import Budgets
from insitu.api.chain_v1 import ChainFacts
from insitu.api.folders_v1 import Folder
from insitu.api.metadata_v1 import AssetStatus
from insitu.domain.canonical import sha256_hex
from insitu.domain.errors import InsituError, TokenError
from insitu.domain.ids import Address, AgreementId, ExecutionId
from insitu.domain.receipt_opening import Opening
from insitu.domain.signed_request import SignedRequest
from insitu.ports.keys import Signer
from insitu.sdk.events import follow
from insitu.sdk.http import ANY_JSON, Http, if_found, read_model
from insitu.sdk.tokens import Tokens

Model = TypeVar("Model", bound=BaseModel)


def gateway_url(endpoint: str) -> str:
    """Return the gateway's address from the serviceEndpoint of a DDO. Raises ``InvalidDocument``.

    The publisher's endpoint decides where to sign in and what to call (C8). A wallet signs only for that address.
    """
    for alias in wire.EXEC_ALIASES:
        if endpoint.endswith(wire.BASE + alias):
            return endpoint.removesuffix(wire.BASE + alias)
    raise InsituError("InvalidDocument", f"{endpoint[:200]!r} is not an endpoint of a compute service")


def file_name(disposition: str) -> str | None:
    """Return the name in a Content-Disposition header (RFC 6266), if it has one."""
    message = Message()
    message["Content-Disposition"] = disposition
    return message.get_filename()


@dataclass(frozen=True, slots=True)
class Download:
    """A file that is being received. The server chose its name, which may be a path: check it before writing."""

    name: str
    chunks: AsyncIterator[bytes]


class GatewayClient:
    """Calls one gateway for one wallet.

    Parameters
    ----------
    url
        Address of the gateway, without the path of the API.
    """

    def __init__(self, http: Http, url: str, signer: Signer) -> None:
        self.url = url.rstrip("/")
        self._http = http
        self._base = self.url + wire.BASE
        self._tokens = Tokens(http, self.url, signer)
        self.uploaded: dict[str, str] = {}
        """The SHA-256 of what was uploaded, by its url."""

    @property
    def account(self) -> Address:
        """The wallet's address."""
        return self._tokens.account

    async def sign_out(self) -> None:
        """End the wallet's session at this gateway. The next call that needs one signs in again."""
        await self._tokens.sign_out()

    async def info(self) -> wire.GatewayInfo:
        """Return the gateway's account, and which chain and contracts it uses."""
        return await self._http.model(wire.GatewayInfo, "GET", self._base)

    async def budgets(self) -> Budgets:
        """Return how the gateway's budgets for strangers stand, in words. Needs no token."""
        return await self._http.model(Budgets, "GET", f"{self._base}/budgets")

    async def chain_facts(self) -> ChainFacts:
        """Return the gateway's chain, contracts with ABIs, and token. Needs no token."""
        return await self._http.model(ChainFacts, "GET", f"{self._base}/chain")

    async def agreements(
        self,
        *,
        live: bool | None = None,
        reading: str | None = None,
        before: AgreementId | None = None,
        limit: int = 20,
    ) -> AgreementList:
        """List a page of what the wallet bought at this gateway, newest first, as the gateway knows it.

        ``live`` asks for those under which something may still start, ``reading`` for those that bought a data set (its
        DID; its owner sees those of all consumers), and ``before`` for the page after the one that names it.
        """
        params = {"live": live, "reading": reading, "before": before, "limit": limit}
        return await self._authorised(AgreementList, "GET", f"{self._base}/agreements", params=params)

    async def check(self, request: wire.CheckRequest) -> wire.Quote:
        """Ask for the verdict, server and price of a workflow. Needs no token."""
        return await self._http.model(wire.Quote, "POST", f"{self._base}/check", json=request, idempotent=True)

    async def relay(self, request: wire.PurchaseRequest) -> wire.Purchase:
        """Let the gateway send a signed purchase. Repeating the call returns where it stands. Needs no token."""
        return await self._http.model(wire.Purchase, "POST", f"{self._base}/agreements", json=request)

    async def relay_request(self, request: SignedRequest) -> wire.RelayedRequest:
        """Let the gateway send a signed request to the registry. Repeating it returns where it stands. No token."""
        return await self._http.model(
            wire.RelayedRequest, "POST", f"{self._base}/requests", json=request, idempotent=True
        )

    async def offer(self, request: wire.OfferRequest) -> wire.Offer:
        """Ask for the provider's signature of terms. Needs no token."""
        return await self._http.model(wire.Offer, "POST", f"{self._base}/offers", json=request, idempotent=True)

    async def preview_close(self, agreement_id: AgreementId) -> wire.Closing:
        """Ask what closing an agreement costs now."""
        return await self._authorised(wire.Closing, "GET", self._close(agreement_id))

    async def close(self, agreement_id: AgreementId, request: wire.CloseRequest) -> wire.Closing:
        """Close an agreement at the charge that :meth:`preview_close` returned. Repeating it is harmless."""
        return await self._authorised(wire.Closing, "POST", self._close(agreement_id), json=request, idempotent=True)

    async def pause(self, did: str, *, stop: bool | None) -> wire.PausedAsset:
        """Let nothing run on a data set of the wallet, and stop what runs now if ``stop``; None ends the pause."""
        method, params = "DELETE" if stop is None else "PUT", {"stop": stop or None}
        return await self._authorised(wire.PausedAsset, method, f"{self._base}/pauses/{did}", params=params)

    async def desk(self, dids: Sequence[str] = ()) -> Desk:
        """Return what the wallet was paid in 30 days and what waits for it, and what is open on its data sets."""
        return await self._authorised(Desk, "GET", f"{self._base}/desk", params={"did": list(dids)})

    async def exec(
        self, request: wire.ExecRequest, *, idempotency_key: str, endpoint: str | None = None
    ) -> wire.ExecAccepted:
        """Start an execution (C8). The same key again returns the same execution.

        ``endpoint`` is the DDO's serviceEndpoint.
        """
        address = endpoint or self._base + wire.EXEC_ALIASES[0]
        headers = {"Idempotency-Key": idempotency_key}
        return await self._authorised(wire.ExecAccepted, "POST", address, json=request, more=headers, idempotent=True)

    async def status(self, agreement_id: AgreementId, execution_id: ExecutionId) -> wire.ExecutionView:
        """Return where an execution stands, and why."""
        return await self._authorised(wire.ExecutionView, "GET", self._compute("status", agreement_id, execution_id))

    async def executions(
        self,
        agreement_id: AgreementId | None = None,
        *,
        live: bool | None = None,
        role: Literal["consumer", "owner"] | None = None,
        reading: str | None = None,
        before: ExecutionId | None = None,
        limit: int = 100,
    ) -> wire.ExecutionList:
        """List a page of the executions that the wallet may see, newest first.

        ``live`` asks for those that go on or have ended, ``role`` for those that the wallet started, or that read what
        it owns, ``reading`` for those that read a data set (its DID), and ``before`` for the page after the one that
        names it.
        """
        filters = {"live": live, "role": role, "reading": reading, "before": before, "limit": limit}
        address = f"{self._base}/compute/executions"
        params = {"serviceAgreementId": agreement_id, **filters}
        return await self._authorised(wire.ExecutionList, "GET", address, params=params)

    async def stop(self, agreement_id: AgreementId, execution_id: ExecutionId) -> wire.ExecutionView:
        """Stop an execution. An ended one stays as it is."""
        address = f"{self._base}/compute/{agreement_id}/{execution_id}"
        return await self._authorised(wire.ExecutionView, "DELETE", address)

    async def receipt(self, agreement_id: AgreementId, execution_id: ExecutionId) -> wire.ReceiptView:
        """Return the signed receipt and what releases the payment."""
        return await self._authorised(wire.ReceiptView, "GET", self._compute("receipt", agreement_id, execution_id))

    async def opening(self, agreement_id: AgreementId, execution_id: ExecutionId) -> Opening:
        """Return what the receipt's salted hashes stand for, as far as the caller may see it."""
        return await self._authorised(Opening, "GET", self._compute("opening", agreement_id, execution_id))

    async def result(self, agreement_id: AgreementId, execution_id: ExecutionId) -> wire.ResultView:
        """Return the new asset and its files. Raises ``NotFound`` while there is none."""
        return await self._authorised(wire.ResultView, "GET", self._compute("result", agreement_id, execution_id))

    async def events(
        self, agreement_id: AgreementId, execution_id: ExecutionId, *, after: int | None = None
    ) -> AsyncIterator[wire.EventView]:
        """Yield the events of an execution after number ``after`` until it ends; resumes by itself."""
        address = self._compute("events", agreement_id, execution_id)
        last = str(after) if after is not None else None
        async for event in follow(self._http, address, self._authorization, last_id=last):
            yield _read(wire.EventView, event.data, address)

    async def logs(
        self,
        agreement_id: AgreementId,
        execution_id: ExecutionId,
        *,
        follow_on: bool = True,
        stage: int | None = None,
        after: str | None = None,
    ) -> AsyncIterator[wire.LogView]:
        """Yield what the stages print; resumes by itself.

        ``after`` is ``<stage>:<attempt>:<end offset>``. Without ``follow_on`` it ends with what is there now.
        """
        address = self._compute("logs", agreement_id, execution_id)
        params = {"follow": follow_on, "stage": stage}
        stream = follow(self._http, address, self._authorization, params=params, last_id=after)
        async for event in stream:
            if event.name in {"log", "message"}:
                yield _read(wire.LogView, event.data, address)

    async def stream(
        self, agreement_id: AgreementId, execution_id: ExecutionId
    ) -> AsyncIterator[wire.EventView | wire.LogView]:
        """Yield the events of an execution and what its stages print, in one stream; resumes by itself."""
        address = self._compute("stream", agreement_id, execution_id)
        async for event in follow(self._http, address, self._authorization):
            if event.name == "log":
                yield _read(wire.LogView, event.data, address)
            elif event.name != "end":
                yield _read(wire.EventView, event.data, address)

    async def all_events(self, *, after: int | None = None) -> AsyncIterator[wire.EventView]:
        """Yield the events of every execution that the wallet may see, from now on or after a number.

        It never ends, and resumes by itself.
        """
        address, last = f"{self._base}/compute/events", str(after) if after is not None else None
        async for event in follow(self._http, address, self._authorization, last_id=last):
            if event.name == "execution":
                yield _read(wire.EventView, event.data, address)

    async def encrypt(self, request: wire.EncryptRequest) -> wire.Encrypted:
        """Seal a list of files with their URLs for documents of their creator."""
        return await self._authorised(wire.Encrypted, "POST", f"{self._base}/encrypt", json=request, idempotent=True)

    async def files(self, path: str | None = None, *, after: str = "", limit: int = 100) -> Folder:
        """List a page of a folder below the provider's data roots; without a path, the data roots."""
        params = {"path": path, "after": after or None, "limit": limit}
        return await self._authorised(Folder, "GET", f"{self._base}/files", params=params)

    async def publication(self, key: str) -> AssetStatus | None:
        """Return which asset the wallet published under an Idempotency-Key, in the gateway's catalogue, if any."""
        return await if_found(self._authorised(AssetStatus, "GET", f"{self._base}/publications/{key}"))

    async def upload(self, content: bytes) -> wire.Uploaded:
        """Store the bytes of an algorithm at the gateway. Raises ``ChecksumMismatch`` if it stored other bytes."""
        more = {"Content-Type": "application/octet-stream"}
        stored = await self._authorised(
            wire.Uploaded, "POST", f"{self._base}/upload", content=content, more=more, idempotent=True
        )
        digest = sha256_hex(content)
        if stored.sha256 != digest:
            detail = f"{self.url} stored bytes with SHA-256 {stored.sha256} in place of {digest}"
            raise InsituError("ChecksumMismatch", detail, actual=stored.sha256, expected=digest)
        self.uploaded[stored.url] = digest
        return stored

    @asynccontextmanager
    async def download(self, did: str, index: int) -> AsyncIterator[Download]:
        """Open a file of an asset that the wallet owns. Raises ``DownloadNotAllowed``, ``FileNotDownloadable``."""
        headers = await self._tokens.headers()
        async with self._http.stream("GET", f"{self._base}/download/{did}/{index}", headers=headers) as response:
            name = file_name(response.headers.get("Content-Disposition", "")) or f"file-{index}"
            yield Download(name, response.aiter_bytes())

    @asynccontextmanager
    async def archive(self, did: str, first: int = 0) -> AsyncIterator[AsyncIterator[ArchivedFile]]:
        """Open the files of an asset that the gateway stores, from index ``first`` on, as one stream."""
        headers = await self._tokens.headers()
        address = f"{self._base}/download/{did}"
        async with self._http.stream("GET", address, params={"first": first}, headers=headers) as response:
            yield read_archive(response.aiter_bytes())

    async def _authorised(
        self,
        kind: type[Model],
        method: str,
        address: str,
        *,
        more: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Model:
        """Call with a token. If the gateway no longer accepts it, it is replaced once."""
        headers = {**await self._tokens.headers(), **(more or {})}
        with suppress(TokenError):
            return await self._http.model(kind, method, address, headers=headers, **options)
        headers = {**await self._tokens.headers(fresh=True), **(more or {})}
        return await self._http.model(kind, method, address, headers=headers, **options)

    async def _authorization(self, fresh: bool) -> Mapping[str, str]:
        return await self._tokens.headers(fresh=fresh)

    def _close(self, agreement_id: AgreementId) -> str:
        return f"{self._base}/agreements/{agreement_id}/close"

    def _compute(self, what: str, agreement_id: AgreementId, execution_id: ExecutionId) -> str:
        return f"{self._base}/compute/{what}/{agreement_id}/{execution_id}"


def _read(kind: type[Model], data: str, address: str) -> Model:
    try:
        value = ANY_JSON.validate_json(data)
    except ValidationError:
        raise InsituError("PeerUnavailable", f"{address} sent an event that is not JSON") from None
    return read_model(kind, value, address)
