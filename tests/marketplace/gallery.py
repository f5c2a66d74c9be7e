"""Every state of every component as a page of its own, with the policy and the frame that pages have."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import APIRouter, Response
from markupsafe import Markup

from insitu.api.app import build_app
from insitu.marketplace.policy import BLOB, Policy
from insitu.marketplace.rendering import Page, Renderer
from insitu.marketplace.routes import router
from insitu.marketplace.routes.answers import answer
from insitu.marketplace.service import Marketplace
from insitu.marketplace.site import SiteFacts
from tests.doubles.catalogue import TOKEN, CatalogueDouble, GatewaysDouble
from tests.marketplace.conftest import build
from tests.marketplace.states import State, is_page, states
from tests.parts import ROOT

FACTS = SiteFacts(chain_id=31337, token=TOKEN)
POLICY = Policy(frames=(BLOB,))
FRAME = """{% extends "layout/template.html" %}{% block title %}{{ title }}{% endblock %}
{% block main %}<h1>{{ title }}</h1><h2>Part</h2>{{ part }}{% if script %}<div id="gallery"></div>
<script type="module" src="/gallery.js"></script>{% endif %}{% endblock %}"""

NOTHING = Markup()
STATES = list(states())


def shown(renderer: Renderer, state: State) -> Page:
    """Render a state: a page as it is, a part of pages in a frame."""
    if is_page(state.component):
        return renderer.page(state.component, state.values, facts=FACTS, here="/", policy=POLICY)
    part = renderer.part(state.component, state.values, facts=FACTS).strip()
    if part.startswith("<li"):
        part = f'<ol class="cards">{part}</ol>'
    return framed(renderer, str(state), Markup(part))


def framed(renderer: Renderer, title: str, part: Markup = NOTHING, *, script: bool = False) -> Page:
    """Render a frame with a part in it, or with the script that shows states of elements."""
    given = {
        "site": renderer.site,
        "facts": FACTS,
        "here": "/",
        "style": renderer.static_files.style,
        "logo": None,
        "navigation": (),
        "used": {},
        "policy": POLICY,
        "title": title,
        "part": part,
        "script": script,
    }
    return Page(renderer._environment.from_string(FRAME).render(given).encode(), POLICY)


def gallery_routes(marketplace: Marketplace, script: bytes) -> APIRouter:
    """`/states/<number>` shows a state of a template, `/elements#<component>/<state>` one of an element."""
    routes = APIRouter()

    @routes.get("/states/{number}")
    async def show_state(number: int) -> Response:
        return answer(shown(marketplace.renderer, STATES[number]))

    @routes.get("/elements")
    async def show_elements() -> Response:
        return answer(framed(marketplace.renderer, "A state of an element", script=True))

    @routes.get("/gallery.js")
    async def send_script() -> Response:
        return Response(script, media_type="text/javascript")

    return routes


@contextmanager
def running_gallery(folder: Path) -> Iterator[str]:
    """Serve the gallery, and yield its address."""
    subprocess.run([sys.executable, ROOT / "scripts" / "marketplace", "--gallery", folder], cwd=ROOT, check=True)
    marketplace = build(CatalogueDouble(), GatewaysDouble(), development=True)
    parts = [gallery_routes(marketplace, (folder / "gallery.js").read_bytes()), router(marketplace)]
    app = build_app("gallery", "0", parts, max_body_bytes=1000, public=True)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the gallery did not start"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def elements_in(text: str) -> list[tuple[str, str]]:
    """Read which states of elements the gallery's script knows."""
    return [(component, state) for component, state in json.loads(text)]
