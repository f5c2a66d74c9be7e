"""Every address that a page refers to is that of a route, in every state of every page."""

import re

from fastapi import FastAPI
from starlette.routing import Match

from insitu.marketplace.service import Marketplace
from tests.marketplace.conftest import application
from tests.marketplace.gallery import STATES, shown

REFERRED = re.compile(r'(?:href|action|src)="(/[^"]*)"')
ELSEWHERE = ("/api/",)
"""Of the catalogue and the gateway, which may be beside these pages."""


def answers(app: FastAPI, path: str) -> bool:
    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    return any(route.matches(scope)[0] is Match.FULL for route in app.routes)


def test_every_address_on_a_page_has_a_route(marketplace: Marketplace) -> None:
    app = application(marketplace)
    found = {
        (state.component, address.partition("?")[0].partition("#")[0])
        for state in STATES
        for address in REFERRED.findall(shown(marketplace.renderer, state).html.decode())
        if not address.startswith(ELSEWHERE)
    }
    assert {path for _, path in found} >= {"/", "/search", "/help", "/security", "/status"}
    assert not {(component, path) for component, path in found if not answers(app, path)}


def test_the_check_would_find_a_dead_link(marketplace: Marketplace) -> None:
    assert not answers(application(marketplace), "/nothing")
