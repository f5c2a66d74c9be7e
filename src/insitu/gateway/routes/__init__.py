"""The gateway's addresses: translate HTTP, decide nothing."""

from fastapi import APIRouter

from insitu.api.app import StrictRoute
from insitu.gateway.routes.compute import compute_router
from insitu.gateway.routes.files import files_router
from insitu.gateway.routes.services import services_router
from insitu.gateway.routes.tickets import ticket_router
from insitu.gateway.service import GatewayService

__all__ = ["router", "ticket_router"]


def router(service: GatewayService) -> APIRouter:
    """Return the public routes; those of tickets are :func:`ticket_router`, for operators in another process."""
    routes = APIRouter(route_class=StrictRoute, tags=["gateway"])
    for part in (services_router(service), compute_router(service), files_router(service)):
        routes.include_router(part)
    return routes
