"""The wallet of development chains: its keys are public, and only pages on the same machine get them (ADR 0157)."""

import json
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response

from insitu.domain.errors import InsituError
from insitu.domain.hosts import is_loopback
from insitu.marketplace.service import Marketplace

ADDRESS = "/development/wallet.js"
OWN_PAGES = ("same-origin", "none")
"""What a browser says of a request (Sec-Fetch-Site) that no other site caused."""


def add_routes(routes: APIRouter, marketplace: Marketplace) -> None:
    """Add the script that starts the development wallet with its keys."""

    @routes.get(ADDRESS)
    async def send_development_wallet(request: Request) -> Response:
        scripts = marketplace.renderer.static_files.scripts("development_wallet")
        if not (scripts and marketplace.development_keys and _is_asked_here(request)):
            raise InsituError("NotFound", "there is no development wallet at this address")
        keys = json.dumps(dict(marketplace.development_keys))
        content = f'import {{ start }} from "{scripts[0]}"\nstart({keys})\n'
        headers = {"Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-origin"}
        return Response(content, headers=headers, media_type="text/javascript; charset=utf-8")


def _is_asked_here(request: Request) -> bool:
    """Whether a page on this machine asks: a name that DNS points here, or another site, gets nothing."""
    try:
        host = urlsplit("//" + request.headers.get("host", "")).hostname or ""
    except ValueError:
        return False
    return is_loopback(host) and request.headers.get("sec-fetch-site", "none") in OWN_PAGES
