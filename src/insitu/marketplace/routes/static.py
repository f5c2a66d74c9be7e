"""Style and scripts."""

from fastapi import APIRouter, Request, Response

from insitu.domain.errors import InsituError
from insitu.marketplace.service import Marketplace
from insitu.marketplace.static_files import ADDRESS

IMMUTABLE = "public, max-age=31536000, immutable"


def add_routes(routes: APIRouter, marketplace: Marketplace) -> None:
    """Add ``/static/…``. A name is that of one content, so a browser asks once."""

    @routes.get(ADDRESS + "{name}")
    async def send_static_file(request: Request, name: str) -> Response:
        file = marketplace.renderer.static_files.files.get(name)
        if file is None:
            raise InsituError("NotFound", "this version of the marketplace has no such file; load the page again")
        headers = {"Cache-Control": IMMUTABLE, "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.compressed, headers=headers | {"Content-Encoding": "gzip"}, media_type=file.media_type)
        return Response(file.content, headers=headers, media_type=file.media_type)
