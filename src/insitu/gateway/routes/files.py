"""Sealed lists, uploads and downloads."""

from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from insitu.api.app import StrictRoute
from insitu.api.archive import MEDIA_TYPE
from insitu.api.folders_v1 import Folder
from insitu.api.gateway_v1 import BASE, Encrypted, EncryptRequest, Uploaded
from insitu.api.metadata_v1 import AssetStatus, status_of
from insitu.api.parameters import BYTES, AccessTokenHeader, DidPath
from insitu.gateway.files.file_server import ServedFile
from insitu.gateway.files.source_opener import upload_url
from insitu.gateway.service import GatewayService


def files_router(service: GatewayService) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(route_class=StrictRoute)

    @routes.post(BASE + "/encrypt")
    async def encrypt(request: EncryptRequest, authorization: AccessTokenHeader = None) -> Encrypted:
        return await service.list_writer.seal(await service.authenticator.read(authorization, "encrypt"), request)

    @routes.get(BASE + "/files")
    async def list_files(
        path: Annotated[str | None, Query(max_length=4096)] = None,
        after: Annotated[str, Query(max_length=1024)] = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        authorization: AccessTokenHeader = None,
    ) -> Folder:
        """What is in a folder below the data roots, for accounts that may publish it; without a path, the roots."""
        caller = await service.authenticator.read(authorization, "encrypt")
        return await service.folder_lister.list(caller, path, after, limit)

    @routes.post(BASE + "/upload", status_code=201, openapi_extra={"requestBody": BYTES | {"required": True}})
    async def upload(request: Request, authorization: AccessTokenHeader = None) -> Uploaded:
        caller = await service.authenticator.read(authorization, "upload")
        length = request.headers.get("content-length", "")
        announced = int(length) if length.isascii() and length.isdigit() and len(length) < 20 else None
        network = request.state.network
        upload = await service.upload_receiver.receive(
            caller.address, request.stream(), announced=announced, network=network
        )
        return Uploaded(url=upload_url(upload.upload_id), sha256=upload.sha256, size=upload.size)

    @routes.get(BASE + "/publications/{key}")
    async def show_publication(
        key: Annotated[str, Path(max_length=128)], authorization: AccessTokenHeader = None
    ) -> AssetStatus:
        """What the caller published under this Idempotency-Key, in the catalogue of this gateway."""
        caller = await service.authenticator.read(authorization, "publish")
        return status_of(await service.publication_finder.find(caller, key))

    @routes.get(BASE + "/download/{did}", response_class=StreamingResponse, responses={200: BYTES})
    async def download_all(
        did: DidPath, first: Annotated[int, Query(ge=0, lt=2**32)] = 0, authorization: AccessTokenHeader = None
    ) -> Response:
        """The files that are stored at the gateway, from index ``first`` on, as a tar archive."""
        caller = await service.authenticator.read(authorization, "download")
        chunks = await service.file_server.archive(caller, did, first)
        return _attachment(ServedFile(f"{did.rpartition(':')[2]}.tar", MEDIA_TYPE, None, chunks))

    @routes.get(BASE + "/download/{did}/{index}", response_class=StreamingResponse, responses={200: BYTES})
    async def download(did: DidPath, index: int, authorization: AccessTokenHeader = None) -> Response:
        caller = await service.authenticator.read(authorization, "download")
        return _attachment(await service.file_server.download(caller, did, index))

    return routes


def _attachment(file: ServedFile) -> Response:
    """Send a file as an attachment. A browser must not show it, because an unknown algorithm wrote it."""
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"}
    if file.size is not None:
        headers["Content-Length"] = str(file.size)
    return StreamingResponse(_chunks(file), media_type=file.content_type, headers=headers)


async def _chunks(file: ServedFile) -> AsyncIterator[bytes]:
    async for chunk in file.chunks:
        yield chunk
