"""The marketplace's routes: they translate HTTP and decide nothing.

Each module here has ``add_routes(routes, marketplace)``; a new one is added to ``PARTS``.
"""

from collections.abc import Callable

from fastapi import APIRouter

from insitu.marketplace.routes import about, development, home, personal, publishing, reading, running, static
from insitu.marketplace.routes.failures import page_of_failure
from insitu.marketplace.service import Marketplace

PARTS: tuple[Callable[[APIRouter, Marketplace], None], ...] = (
    home.add_routes,
    about.add_routes,
    reading.add_routes,
    personal.add_routes,
    static.add_routes,
    development.add_routes,
    running.add_routes,
    publishing.add_routes,
)

__all__ = ["page_of_failure", "router"]


def router(marketplace: Marketplace) -> APIRouter:
    """Return the routes of a marketplace. They are pages, so no OpenAPI document has them."""
    routes = APIRouter(include_in_schema=False)
    for add_routes in PARTS:
        add_routes(routes, marketplace)
    return routes
