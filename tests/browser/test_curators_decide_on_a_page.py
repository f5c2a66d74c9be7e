"""Curators hide and feature on a page: their wallet shows what they decide, and everybody sees who decided and why."""

import json
import re
from collections.abc import Awaitable, Callable

import httpx
import pytest
from playwright.async_api import Page, Request, expect

from insitu.domain.execution import Phase
from insitu.sdk.publishing import Asset
from tests.browser.chromium import NO_JAVASCRIPT, Pages
from tests.browser.personal import SLOW
from tests.browser.wallet import Wallet
from tests.market import UPPER, Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

HOSTILE = "<img src=x onerror=alert(1)> \u202etxt.exe"
SHOWN = "<img src=x onerror=alert(1)> \\u202etxt.exe"
Axe = Callable[[Page], Awaitable[None]]


async def listed(market: Market, name: str) -> Asset:
    asset = await market.dataset(name)
    await market.publisher.metadata.status(asset.did, wait=20)
    return asset


async def decide(page: Page, asset: str, decision: str, reason: str = "") -> None:
    """Fill in the form, and sign."""
    await page.get_by_label("Asset", exact=True).fill(asset)
    await page.get_by_label("Decision").select_option(decision)
    if reason:
        await page.get_by_label("Reason").fill(reason)
    await page.get_by_role("button", name="Sign the decision").click()


async def test_a_curator_features_and_everybody_reads_the_reason(
    pages: Pages, make_wallet: Callable[..., Wallet], market: Market, axe: Axe
) -> None:
    asset = await listed(market, "Worth a look")
    wallet = make_wallet("spare")
    await pages.install(wallet)
    page = await pages.open()
    await page.goto(f"{market.provider.url}/curation")
    wallet.refuse("CurationRequest")
    await decide(page, f"{market.provider.url}/assets/{asset.did}", "feature", HOSTILE)
    await page.get_by_role("button", name="Use Test wallet").click(timeout=SLOW)
    await expect(page.get_by_text("You said no in the wallet")).to_be_visible(timeout=SLOW)
    assert (await market.consumer.assets.curated("featured")).total_results == 0

    await page.get_by_role("button", name="Sign the decision").click()
    await expect(page.get_by_text("It is featured now:")).to_be_visible(timeout=SLOW)
    signed = wallet.prompts[-1].parameters[1]
    assert wallet.counted == {"connect": 1, "CurationRequest": 2}, "nobody signs in to decide"
    assert signed["message"]["catalogue"] == market.provider.url
    assert (signed["message"]["action"], signed["message"]["reason"]) == ("feature", HOSTILE)
    await axe(page)

    reader = await pages.open(NO_JAVASCRIPT)
    await reader.goto(market.provider.url)
    featured = reader.get_by_role("region", name="Featured")
    await expect(featured.get_by_role("link", name="Worth a look")).to_be_visible()
    await expect(featured).to_contain_text(SHOWN)
    await reader.goto(f"{market.provider.url}/assets/{asset.did}")
    await expect(reader.get_by_text(SHOWN)).to_be_visible()

    await page.get_by_label("Decision").select_option("unfeature")
    await page.get_by_role("button", name="Sign the decision").click()
    await expect(page.get_by_text("It is neither hidden nor featured.")).to_be_visible(timeout=SLOW)
    await reader.goto(market.provider.url)
    await expect(reader.get_by_role("region", name="Featured")).to_have_count(0)


async def test_what_a_curator_hides_is_explained_and_still_runs_for_those_who_bought_it(
    pages: Pages, make_wallet: Callable[..., Wallet], market: Market
) -> None:
    asset = await listed(market, "Ward stays by name")
    agreement = await market.consumer.agreements.buy((await market.workflow(UPPER, asset)).did)
    wallet = make_wallet("spare")
    await pages.install(wallet)
    page = await pages.open()
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.url.endswith("/curation") else None)
    await page.goto(f"{market.provider.url}/curation?did={asset.did}")
    await page.get_by_label("Reason").fill("Names of patients")
    await page.get_by_role("button", name="Sign the decision").click()
    await page.get_by_role("button", name="Use Test wallet").click(timeout=SLOW)
    await expect(page.get_by_text("It is hidden now:")).to_be_visible(timeout=SLOW)

    reader = await pages.open(NO_JAVASCRIPT)
    await reader.goto(f"{market.provider.url}/curation")
    hidden = reader.get_by_role("region", name="Hidden")
    await expect(hidden).to_contain_text("Names of patients")
    await expect(hidden).not_to_contain_text("Ward stays")
    await expect(hidden.locator(".id.a")).to_have_text(wallet.address)
    await hidden.get_by_role("link", name=re.compile("did:nv:")).click()
    await expect(reader.get_by_text("for this reason: Names of patients")).to_be_visible()
    await reader.goto(f"{market.provider.url}/search?text=ward+stays")
    await expect(reader.get_by_role("link", name="Ward stays by name")).to_have_count(0)

    # It stays what it was for those who know it.
    assert str((await market.consumer.assets.resolve(asset.did)).did) == asset.did
    execution = await market.consumer.compute.execute(agreement.id)
    await execution.wait(60)
    assert (await execution.status()).phase is Phase.SUCCEEDED

    await page.get_by_label("Decision").select_option("unhide")
    await page.get_by_role("button", name="Sign the decision").click()
    await expect(page.get_by_text("It is neither hidden nor featured.")).to_be_visible(timeout=SLOW)
    bodies = [json.loads(request.post_data or "{}") for request in sent if request.method == "PUT"]
    assert [body["action"] for body in bodies] == ["hide", "unhide"]
    async with httpx.AsyncClient() as http:
        # What a curator signed is no key to anything else.
        again = await http.put(sent[-1].url, json=bodies[0] | {"catalogue": "http://other.test"})
        other = await http.put(sent[-1].url, json=bodies[1] | {"action": "feature", "reason": "mine"})
    assert [answer.json()["code"] for answer in (again, other)] == ["SignatureMismatch", "NotCurator"]


async def test_another_account_is_told_that_it_does_not_curate(page: Page, wallet: Wallet, market: Market) -> None:
    asset = await listed(market, "Somebody else's")
    await page.goto(f"{market.provider.url}/curation?did={asset.did}")
    await page.get_by_label("Reason").fill("I do not like it")
    await page.get_by_role("button", name="Sign the decision").click()
    await page.get_by_role("button", name="Use Test wallet").click(timeout=SLOW)
    await expect(page.get_by_text("This account is not a curator here:")).to_be_visible(timeout=SLOW)
    await expect(page.get_by_role("button", name="Sign the decision")).to_be_disabled()
    assert wallet.counted == {"connect": 1}
    assert (await market.consumer.assets.status(asset.did)).state == "listed"
