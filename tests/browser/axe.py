"""axe-core on a page: WCAG 2.2 AA and best practice, without an exception."""

from functools import cache

from playwright.async_api import Page

from tests.parts import ROOT

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

_RUN = """
async tags => {
  const { violations } = await axe.run(document, { runOnly: tags, resultTypes: ['violations'] })
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} (${help}) at ${target.join(' ')}\\n${failureSummary}`))
}
"""


async def assert_accessible(page: Page) -> None:
    """Fail with what axe finds. The script comes by the debugger, so the page's policy stays as it is."""
    await page.evaluate(_axe())
    found = await page.evaluate(_RUN, _TAGS)
    assert not found, f"{page.url}:\n" + "\n".join(found)


@cache
def _axe() -> str:
    return (ROOT / "sdk/js/node_modules/axe-core/axe.min.js").read_text("utf-8")
