"""A component lists its states beside its template; a value that a template misses fails here."""

from html.parser import HTMLParser

import pytest

from insitu.marketplace.rendering import COMPONENTS, Renderer
from insitu.marketplace.service import Marketplace
from insitu.marketplace.site import SiteFacts
from tests.doubles.catalogue import TOKEN
from tests.marketplace.states import State, components, is_page, states

FACTS = SiteFacts(chain_id=31337, token=TOKEN)
VOID = {"br", "hr", "img", "input", "link", "meta", "path", "rect", "circle", "line", "source", "wbr"}


class Checker(HTMLParser):
    """Knows which elements are open, and what a page must not have."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "style" or name.startswith("on"):
                self.wrong.append(f"{tag} has the attribute {name}")
            if name in {"href", "src", "action"} and (value or "").strip().lower().startswith("javascript"):
                self.wrong.append(f"{tag} refers to {value}")
        if tag == "style" or (tag == "script" and not ({"src"} & dict(attrs).keys() or dict(attrs).get("type"))):
            self.wrong.append(f"there is an inline {tag}")

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing")


def rendered(renderer: Renderer, state: State) -> str:
    """A page as it is served; a part of pages by itself."""
    if is_page(state.component):
        return renderer.page(state.component, state.values, facts=FACTS, here="/").html.decode()
    return renderer.part(state.component, state.values, facts=FACTS)


@pytest.mark.parametrize("state", list(states()), ids=str)
def test_a_state_is_rendered_to_whole_elements_without_inline_code(marketplace: Marketplace, state: State) -> None:
    checker = Checker()
    checker.feed(rendered(marketplace.renderer, state))
    assert checker.wrong == []
    assert checker.open == []


@pytest.mark.parametrize("component", [name for name in components() if name != "layout"])
def test_a_component_says_what_it_is_and_lists_its_states(component: str) -> None:
    folder = COMPONENTS / component
    assert (folder / "states.py").exists() or (folder / "states.ts").exists()
    assert not (folder / "states.py").exists() or (folder / "__init__.py").read_text().startswith('"""')


def test_a_name_that_nobody_gave_is_an_error(marketplace: Marketplace) -> None:
    with pytest.raises(Exception, match="'home' is undefined"):
        marketplace.renderer.page("home", {}, facts=FACTS, here="/")
