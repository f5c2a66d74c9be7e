"""A stranger's text in every member of a refusal is shown, and does nothing."""

import json

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.chromium import Pages
from tests.browser.personal import SLOW
from tests.browser.test_lying_servers_open_no_wallet import CHECK, UNSEEN, open_workflow
from tests.browser.wallet import Wallet
from tests.market import Market
from tests.marketplace.hostile_texts import HOSTILE

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]


async def test_what_a_gateway_writes_into_a_refusal_is_text(
    page: Page, pages: Pages, wallet: Wallet, market: Market
) -> None:
    pages.allow("Failed to load resource")
    markup = page.locator("main :is(img, iframe, script, style, object, base)")
    page.on("dialog", lambda _: pytest.fail("a script of a gateway ran"))
    texts = [text for text in HOSTILE if len(text) < 200]
    told: list[str] = []

    async def refuse(route: Route) -> None:
        text = texts[len(told)]
        told.append(text)
        members = dict.fromkeys(("code", "title", "detail", "nextStep", "type"), text)
        body = json.dumps({**members, "status": 409})
        await route.fulfill(status=409, body=body, content_type="application/problem+json")

    await page.route(CHECK, refuse)
    await open_workflow(page, market.provider.url, (await market.workflow()).did)
    for number, text in enumerate(texts, 1):
        again = page.get_by_role("button", name="Ask again")
        await expect(again).to_be_visible(timeout=SLOW)
        assert len(told) == number
        shown = await page.locator("main").text_content() or ""
        assert not set(UNSEEN) & set(shown), ascii(text)
        assert await markup.count() == 0, ascii(text)
        if number < len(texts):
            async with page.expect_response(CHECK):
                await again.click()
            await expect(page.locator("#verdict")).to_contain_text("Not known", timeout=SLOW)
    assert set(wallet.counted) == {"connect"}
