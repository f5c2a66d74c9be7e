"""Whatever servers answer to a page, the wallet opens on no other terms, and the page has words for it."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.chromium import Pages
from tests.browser.personal import SLOW
from tests.browser.running import BUY
from tests.browser.wallet import Wallet
from tests.market import UNPAID, Market
from tests.marketplace.hostile_texts import HOSTILE

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

Lie = Callable[[Route], Awaitable[None]]

INFO, CHECK, DOCUMENT = "**/api/v1/gateway/services", "**/services/check", "**/assets/ddo/did:*"
OTHER = "0x" + "77" * 20
UNSEEN = "\u202e\u2066\u200b\x1b"


def changed(change: Callable[[dict[str, Any]], object]) -> Lie:
    """Answer what the real server answers, but for something."""

    async def lie(route: Route) -> None:
        answer = await route.fetch()
        value = await answer.json()
        change(value)
        await route.fulfill(response=answer, json=value)

    return lie


def sent(body: str | bytes, status: int = 200, kind: str = "application/json") -> Lie:
    """Answer this, whatever was asked."""

    async def lie(route: Route) -> None:
        await route.fulfill(status=status, body=body, content_type=kind)

    return lie


async def cut(route: Route) -> None:
    """Break the connection off."""
    await route.abort("connectionreset")


def contract(name: str) -> Lie:
    """Name another contract."""
    return changed(lambda info: info["contracts"].update({name: OTHER}))


LIES: dict[str, tuple[str, Lie, str]] = {
    "price": (CHECK, changed(lambda quote: quote.update(price="1")), "TermsMismatch"),
    "receiver": (CHECK, changed(lambda quote: quote["receivers"][0].update(address=OTHER)), "TermsMismatch"),
    "times": (CHECK, changed(lambda quote: quote.update(deadlineSeconds=360_000)), "TermsMismatch"),
    "inputs": (CHECK, changed(lambda quote: quote.update(inputsHash="0x" + "00" * 32)), "TermsMismatch"),
    "provider": (CHECK, changed(lambda quote: quote.update(provider=OTHER)), "NotDIDProvider"),
    "nonsense": (CHECK, changed(lambda quote: quote.update(price=-1)), "PeerUnavailable"),
    "markup": (CHECK, sent("<script>alert(1)</script>", kind="text/html"), "PeerUnavailable"),
    "deep": (CHECK, sent("[" * 100_000), "PeerUnavailable"),
    "cut": (CHECK, cut, "PeerUnavailable"),
    "elsewhere": (CHECK, sent("", 307), "PeerUnavailable"),
    "document": (DOCUMENT, changed(lambda ddo: ddo.update(created="2020-01-01T00:00:00Z")), "ChecksumMismatch"),
    "rules": (DOCUMENT, changed(lambda ddo: ddo.update(service=ddo["service"][:1])), "ChecksumMismatch"),
    "no document": (DOCUMENT, sent("{}"), "InvalidDocument|ChecksumMismatch"),
    "template": (INFO, contract("ServiceExecutionTemplate"), "TemplateNotApproved"),
    "registry": (INFO, contract("DIDRegistry"), "Chain|AssetNotFound|Mismatch"),
}  # fmt: skip


async def open_workflow(page: Page, url: str, workflow: str) -> None:
    """Open the page of a run of a workflow, with the wallet of the test."""
    await page.goto(f"{url}/run?workflow={workflow}")
    await page.get_by_role("main").get_by_role("button", name="Choose a wallet").click()
    await page.get_by_role("button", name="Use Test wallet").click()


@pytest.mark.timeout(600)
async def test_every_lie_is_met_with_words_and_without_a_prompt(pages: Pages, wallet: Wallet, market: Market) -> None:
    pages.allow("Failed to load resource|status of 4")
    workflow, before = await market.workflow(), await market.balances()
    wrong = []
    for name, (pattern, lie, code) in LIES.items():
        page = await pages.open()
        await page.route(pattern, lie)
        await open_workflow(page, market.provider.url, workflow.did)
        note = page.get_by_role("alert").filter(has=page.locator("code", has_text=re.compile(code)))
        try:
            await expect(note.first).to_be_visible(timeout=15_000)
            assert await note.first.locator("p").count() >= 3, "what happened, what to do next, and the code"
        except AssertionError as error:
            wrong.append(f"{name}: {error}\n{await page.locator('main').inner_text()}")
        if await page.get_by_role("button", name=BUY).count():
            wrong.append(f"{name}: it can be signed")
        await page.context.close()
    assert not wrong, "\n\n".join(wrong)
    assert set(wallet.counted) == {"connect"}
    assert await market.changes(before) == UNPAID


async def test_what_wallets_call_themselves_is_text_in_the_chooser(
    page: Page, pages: Pages, make_wallet: Callable[..., Wallet], market: Market
) -> None:
    page.on("dialog", lambda _: pytest.fail("a script of a wallet ran"))
    names = [text for text in HOSTILE if len(text) < 60]
    for name in names[:12] + [text for text in names if not text.isprintable()]:
        await pages.install(make_wallet(name=name, rdns=name))
    await page.goto(f"{market.provider.url}/run?workflow={(await market.workflow()).did}")
    await page.get_by_role("main").get_by_role("button", name="Choose a wallet").click()
    dialog = page.get_by_role("dialog", name="Choose a wallet")
    await expect(dialog.get_by_role("button", name="Use ").nth(11)).to_be_visible()
    assert not set(UNSEEN) & set(await dialog.text_content() or "")
    assert await dialog.locator("script, iframe, style, svg").count() == 0


async def test_contracts_of_an_unknown_chain_are_shown_confirmed_once_and_remembered(
    page: Page, pages: Pages, market: Market, make_wallet: Callable[..., Wallet]
) -> None:
    pages.allow("Failed to load resource|status of 4")
    known = make_wallet()
    wallet = Wallet(known._node, known.chain_id + 1)
    await pages.install(wallet)
    await page.route(INFO, changed(lambda info: info.update(chainId=wallet.chain_id)))
    workflow, before = await market.workflow(), await market.balances()
    await open_workflow(page, market.provider.url, workflow.did)
    buy = page.get_by_role("button", name=BUY)
    dialog = page.get_by_role("dialog", name="Confirm the contracts")
    await expect(buy).to_be_visible(timeout=SLOW)
    await buy.click()
    await expect(dialog).to_contain_text(f"on chain {wallet.chain_id}", timeout=SLOW)
    for address in (market.contracts["registry"], market.contracts["template"]):
        await expect(dialog.get_by_role("cell", name=str(address))).to_be_visible()
    await dialog.get_by_role("button", name="No").click()
    await expect(page.get_by_role("alert").first).to_contain_text("ContractMismatch", timeout=SLOW)
    assert wallet.counted == {"connect": 1}, "nothing is asked of a wallet for contracts that nobody confirmed"

    await buy.click()
    await dialog.get_by_role("button", name="These are the ones").click(timeout=SLOW)
    await expect(dialog).to_have_count(0)
    await page.reload()
    wallet.hold()
    await buy.click(timeout=SLOW)
    assert (await wallet.asked(60)).shows in {"text", "Permit"}
    assert await dialog.count() == 0, "it is remembered"
    wallet.refuse()
    wallet.let_go()
    assert await market.changes(before) == UNPAID
