"""Pages as HTTP answers."""

from fastapi import Response

from insitu.marketplace.rendering import Page

REVALIDATED = "no-cache"
"""A browser may keep the page, and asks each time whether it is still the current one (304)."""


def answer(page: Page) -> Response:
    """Return a page as an answer. An error is not kept."""
    good = page.status < 400
    headers = {
        "Content-Security-Policy": page.policy.header(),
        "Cache-Control": REVALIDATED if good else "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        **({"ETag": page.etag} if good else {}),
    }
    return Response(page.html, page.status, headers=headers, media_type="text/html; charset=utf-8")
