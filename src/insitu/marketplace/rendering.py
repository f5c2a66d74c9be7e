"""Templates to pages: every text is escaped, every name must exist, and each page has its own policy."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from insitu.domain.canonical import sha256_hex
from insitu.domain.money import display_amount
from insitu.domain.readable import duration
from insitu.domain.wire import rfc3339
from insitu.marketplace.hostile import markdown, shown
from insitu.marketplace.policy import Policy
from insitu.marketplace.site import Site, SiteFacts, told_to_elements
from insitu.marketplace.static_files import StaticFiles

COMPONENTS = Path(__file__).parent / "components"

NAVIGATION: tuple[tuple[str, str], ...] = (
    ("/search", "Data"),
    ("/agreements", "Agreements"),
    ("/publish", "Publish"),
    ("/executions", "Executions"),
    ("/desk", "Desk"),
    ("/receipts", "Receipts"),
)
"""Address and name of the places in the head of each page; an address is here once its page exists."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer for a person."""

    html: bytes
    policy: Policy
    status: int = 200

    @property
    def etag(self) -> str:
        """Changes with what a person sees."""
        return f'"{sha256_hex(self.html)}"'


class Renderer:
    """Renders components. A template is ``components/<name>/template.html``, and sees only what it is given.

    In every template: ``component(name, **values)`` renders another one, ``amount(base_units)`` writes money in tokens,
    ``site``, ``facts`` and ``here`` (the path of the page). A component with an element brings its script along.
    """

    def __init__(self, site: Site, static_files: StaticFiles) -> None:
        self.site = site
        self.static_files = static_files
        self._environment = Environment(
            loader=FileSystemLoader(COMPONENTS),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
        )
        self._environment.globals |= {
            "component": self._component,
            "amount": _amount,
            "scripts": self._scripts,
            "soon": self._soon,
            "site_block": self._site_block,
        }
        self._environment.filters |= {"time": rfc3339, "shown": shown, "markdown": markdown, "duration": duration}

    def page(
        self,
        component: str,
        values: Mapping[str, object],
        *,
        facts: SiteFacts,
        here: str,
        policy: Policy = Policy(),  # noqa: B008 - frozen
        status: int = 200,
    ) -> Page:
        """Render a component that fills the layout. ``here`` is the path that was asked for."""
        given = {
            "site": self.site,
            "facts": facts,
            "here": here,
            "policy": policy,
            "style": self.static_files.style,
            "logo": self.static_files.logo,
            "navigation": NAVIGATION,
            "used": {component: True},
        }
        html = self._environment.get_template(f"{component}/template.html").render({**values, **given})
        return Page(html.encode(), policy, status)

    def part(self, component: str, values: Mapping[str, object], *, facts: SiteFacts) -> str:
        """Render a component that is a part of pages, by itself."""
        given = {"site": self.site, "facts": facts, "here": "/", "used": {component: True}}
        return self._environment.get_template(f"{component}/template.html").render({**values, **given})

    @pass_context
    def _component(self, context: Context, name: str, /, **values: object) -> Markup:
        context["used"][name] = True
        given = {shared: context[shared] for shared in ("site", "facts", "here", "used")}
        return Markup(self._environment.get_template(f"{name}/template.html").render({**values, **given}))  # noqa: S704

    @pass_context
    def _scripts(self, context: Context) -> list[str]:
        """Return the scripts of all elements that were rendered so far, without repetition."""
        found = (script for name in context["used"] for script in self.static_files.scripts(name))
        return list(dict.fromkeys(found))

    @pass_context
    def _soon(self, context: Context) -> list[str]:
        """Return the scripts that these elements import once they have begun, for the browser to load beside them."""
        found = (script for name in context["used"] for script in self.static_files.soon(name))
        return list(dict.fromkeys(found))

    @pass_context
    def _site_block(self, context: Context) -> Markup:
        """Return the facts for elements as JSON that cannot end its script element."""
        text = json.dumps(told_to_elements(self.site, context["facts"], context["policy"].connect))
        return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


@pass_context
def _amount(context: Context, base_units: int) -> str:
    token = context["facts"].token
    if token is None:
        return display_amount(base_units, 0, "base units")
    return display_amount(base_units, token.decimals, token.symbol)
