"""A page comes to its next state: what has a name stays the same element, whatever comes or goes around it."""

import json
import subprocess

import pytest
from playwright.async_api import Page

from tests.parts import ROOT

pytestmark = pytest.mark.needs("chromium", "node")

ELEMENTS = ROOT / "src" / "insitu" / "marketplace" / "elements"
BUNDLE = [
    ROOT / "sdk/js/node_modules/.bin/esbuild",
    ELEMENTS / "dom.ts",
    "--bundle",
    "--format=iife",
    "--global-name=dom",
]
CHANGE = """
([before, after, focused]) => {
  const made = ([tag, id]) => dom.h(tag, { id: id || undefined, tabindex: '0' }, id)
  dom.replaceChildren(document.body, ...before.map(made))
  const known = new Map([...document.body.children].map(one => [one.id, one]))
  if (focused) known.get(focused).focus()
  dom.replaceChildren(document.body, ...after.map(made))
  const now = [...document.body.children]
  return {
    now: now.map(one => [one.localName, one.id]),
    kept: now.filter(one => one.id && known.get(one.id) === one).map(one => one.id),
    focused: document.activeElement.id,
  }
}
"""
P, SPAN = ("p", ""), ("span", "")
A, B, C, D = [("div", name) for name in "abcd"]


@pytest.fixture(scope="module")
def bundle() -> str:
    """The module as a script that sets ``dom``."""
    return subprocess.run(BUNDLE, check=True, capture_output=True, text=True).stdout


@pytest.fixture
async def blank(page: Page, bundle: str) -> Page:
    """An empty page that can build and change its content."""
    await page.evaluate(f"{bundle}; globalThis.dom = dom")
    return page


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param([A, B], [C, A, B], id="a named part comes before it"),
        pytest.param([A, B], [A, C, D, B], id="several come between"),
        pytest.param([A, B], [P, A, SPAN, B], id="parts without a name come before it"),
        pytest.param([C, A, B], [A, B], id="a named part before it goes"),
        pytest.param([P, A, SPAN, B], [A, B], id="parts without a name before it go"),
        pytest.param([C, P, A, B], [SPAN, D, A, B], id="others take the place of those before it"),
        pytest.param([A, B, C], [C, A, B], id="another one moves to before it"),
        pytest.param([A, B, P], [A, B], id="what follows goes"),
    ],
)
async def test_a_named_part_stays_and_keeps_its_focus(
    blank: Page, before: list[tuple[str, str]], after: list[tuple[str, str]]
) -> None:
    found = await blank.evaluate(CHANGE, [before, after, "b"])
    assert found["now"] == json.loads(json.dumps(after))
    assert found["focused"] == "b"
    stays = {name for _, name in before} & {name for _, name in after} - {""}
    assert set(found["kept"]) == stays


async def test_a_part_of_the_same_name_but_another_kind_is_a_new_one(blank: Page) -> None:
    found = await blank.evaluate(CHANGE, [[A, B], [("span", "a"), B], "b"])
    assert (found["now"], found["kept"], found["focused"]) == ([["span", "a"], ["div", "b"]], ["b"], "b")
