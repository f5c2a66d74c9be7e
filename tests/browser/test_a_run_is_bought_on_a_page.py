"""A person buys a run with a wallet: what is signed was shown, a no costs nothing, and nothing is bought twice."""

import json
import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.chromium import Pages
from tests.browser.personal import SLOW, ids
from tests.browser.running import BUY, choose_script, open_run
from tests.browser.wallet import Wallet
from tests.market import PAID, UNPAID, Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

QUESTIONS = ("text", "Registrations", "Permit", "Terms")
FIRST_SCRIPT = {"connect": 1, "text": 1, "Registrations": 1, "Permit": 1, "Terms": 1}


async def test_a_first_script_takes_a_sign_in_and_three_signatures_and_no_coin(
    page: Page, pages: Pages, wallet: Wallet, market: Market
) -> None:
    data, before = await market.dataset(), await market.balances()
    sent = await market.rpc("eth_getTransactionCount", wallet.address, "latest")
    missing: list[str] = []
    page.on("response", lambda answer: missing.append(answer.url) if answer.status == 404 else None)
    await open_run(page, pages, market, data.did)
    printed = await choose_script(page)
    assert wallet.counted == {"connect": 1}, "nothing is asked before the button is pressed"
    await page.get_by_role("button", name=BUY).click()
    await ids(page)
    await expect(page.get_by_text(printed)).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text("Settled on chain.")).to_be_visible(timeout=SLOW)
    assert wallet.counted == FIRST_SCRIPT
    assert len(missing) == 1, "whether the script was published before is asked once, and of its workflow not at all"
    assert "/publications/" in missing[0]
    assert await market.changes(before) == PAID
    assert await market.rpc("eth_getTransactionCount", wallet.address, "latest") == sent
    message = next(prompt.parameters[0] for prompt in wallet.prompts if prompt.shows == "text")
    assert message.startswith(f"{market.provider.url} wants you to sign in")


async def test_what_is_published_is_chosen_from_a_list_and_takes_fewer_signatures(
    page: Page, pages: Pages, wallet: Wallet, market: Market
) -> None:
    workflow, before = await market.workflow(), await market.balances()
    data, algorithm = await market.dataset(), await market.algorithm()
    await open_run(page, pages, market, data.did)
    await page.get_by_label("A published algorithm").check()
    await page.get_by_label("Algorithm", exact=True).select_option(algorithm.did)
    await expect(page.get_by_role("button", name=BUY)).to_be_visible(timeout=SLOW)
    await expect(page.locator(".sign > li h3")).to_have_count(6)
    await page.get_by_label("A workflow").check()
    await page.get_by_label("Workflow", exact=True).select_option(workflow.did)
    await expect(page.get_by_label("Workflow", exact=True)).to_have_value(workflow.did)
    await expect(page.locator("#step-publication")).to_have_count(0, timeout=SLOW)
    await page.get_by_role("button", name=BUY).click()
    await ids(page)
    assert wallet.counted == {"connect": 1, "text": 1, "Permit": 1, "Terms": 1}
    await expect(page.get_by_text("Settled on chain.")).to_be_visible(timeout=SLOW)
    assert await market.changes(before) == PAID


async def test_what_is_signed_is_what_was_shown(page: Page, pages: Pages, wallet: Wallet, market: Market) -> None:
    data = await market.dataset()
    await open_run(page, pages, market, data.did)
    await choose_script(page)
    shown = await page.locator("#fields-terms code").text_content() or ""
    wallet.hold()
    await page.get_by_role("button", name=BUY).click()
    for question in QUESTIONS:
        assert (await wallet.asked()).shows == question
        if question != "Terms":
            wallet.let_go()
            wallet.hold()
    asked = wallet.prompts[-1].parameters[1]["message"]
    for member in ("provider", "consumer", "inputsHash", "timeout", "grantTimeout", "settleTimeout"):
        assert str(asked[member]).removeprefix("0x").lower() in shown.lower()
    assert json.dumps([int(amount) for amount in asked["amounts"]])[1:-1] in shown
    while_asked = await page.locator("#fields-terms code").text_content() or ""
    assert asked["seed"] in while_asked
    assert asked["workflowId"] in while_asked
    await page.get_by_role("button", name="Back to the form").click()
    wallet.let_go()
    await expect(page.get_by_role("button", name=BUY)).to_be_visible(timeout=SLOW)


async def test_a_gateway_that_quotes_something_else_opens_no_wallet(
    page: Page, pages: Pages, wallet: Wallet, market: Market
) -> None:
    workflow, before = await market.workflow(), await market.balances()
    lies: dict[str, object] = {}

    async def quote(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, json={**await answer.json(), **lies})

    await page.route("**/api/v1/gateway/services/check", quote)
    await open_run(page, pages, market, (await market.dataset()).did)
    await page.get_by_label("A workflow").check()
    await page.get_by_label("Workflow", exact=True).select_option(workflow.did)
    await expect(page.get_by_role("button", name=BUY)).to_be_visible(timeout=SLOW)
    thief = [{"address": market.stranger.account, "amount": "14"}]
    for lie in ({"price": "13"}, {"receivers": thief}, {"timeout": 1}, {"provider": market.stranger.account}):
        lies.update(lie)
        await page.get_by_role("button", name=BUY).click()
        again = page.get_by_role("button", name="Ask again")
        await expect(again).to_be_visible(timeout=SLOW)
        await expect(page.locator("#verdict")).to_contain_text(re.compile("TermsMismatch|NotDIDProvider"))
        await expect(page.get_by_role("button", name=BUY)).to_have_count(0)
        assert wallet.counted == {"connect": 1, "text": 1}
        lies.clear()
        await again.click()
        await expect(page.get_by_role("button", name=BUY)).to_be_visible(timeout=SLOW)
    assert await market.changes(before) == UNPAID


async def test_a_no_to_any_question_costs_nothing_and_the_button_lives(
    page: Page, pages: Pages, wallet: Wallet, market: Market
) -> None:
    data, before = await market.dataset(), await market.balances()
    await open_run(page, pages, market, data.did)
    await choose_script(page)
    for question in QUESTIONS:
        wallet.refuse(question)
        await page.get_by_role("button", name=BUY).click()
        await expect(page.get_by_text("You said no in the wallet")).to_be_visible(timeout=SLOW)
        await expect(page.get_by_text("Nothing was bought.")).to_be_visible()
        await expect(page.locator(".sign .st.no")).to_have_text("refused")
        assert wallet.prompts[-1].shows == question
        assert await market.changes(before) == UNPAID
    await page.get_by_role("button", name=BUY).click()
    await ids(page)
    await expect(page.get_by_text("Settled on chain.")).to_be_visible(timeout=SLOW)
    assert await market.changes(before) == PAID
    assert wallet.counted["Registrations"] == 2, "what was registered is not registered again"


async def test_a_page_that_is_loaded_again_at_every_question_buys_nothing_twice(
    page: Page, pages: Pages, wallet: Wallet, market: Market
) -> None:
    pages.allow("Failed to load resource|net::ERR")
    data, before = await market.dataset(), await market.balances()
    await open_run(page, pages, market, data.did)
    await choose_script(page)
    for question in QUESTIONS:
        wallet.hold()
        await page.get_by_role("button", name=BUY).dblclick()
        while (await wallet.asked(60)).shows != question:
            wallet.let_go()
            wallet.hold()
        await page.reload()
        wallet.let_go()
        await expect(page.get_by_role("button", name=BUY)).to_be_visible(timeout=SLOW)
        assert await market.changes(before) == UNPAID
    await page.get_by_role("button", name=BUY).click()
    await expect(page.get_by_text("The provider is at work")).to_be_visible(timeout=SLOW)
    await page.reload()
    button = page.get_by_role("button", name=re.compile("Sign and run|Go on, it is bought"))
    await expect(button).to_be_visible(timeout=SLOW)
    await button.click()
    await ids(page)
    await expect(page.get_by_text("Settled on chain.")).to_be_visible(timeout=SLOW)
    assert await market.changes(before) == PAID


async def test_another_account_in_the_middle_ends_what_was_asked_of_the_first(
    page: Page, pages: Pages, wallet: Wallet, market: Market
) -> None:
    data, before = await market.dataset(), await market.balances()
    await open_run(page, pages, market, data.did)
    await choose_script(page)
    wallet.hold()
    await page.get_by_role("button", name=BUY).click()
    assert (await wallet.asked()).shows == "text"
    await wallet.change_account("second-consumer")
    await expect(page.get_by_text("changed meanwhile")).to_be_visible(timeout=SLOW)
    wallet.let_go()
    await expect(page.get_by_role("button", name=re.compile("Sign and run|Choose a wallet")).last).to_be_visible(
        timeout=SLOW
    )
    assert await market.changes(before) == UNPAID
    assert "Permit" not in wallet.counted


async def test_another_chain_in_the_middle_ends_it_and_the_page_offers_to_change_back(
    page: Page, pages: Pages, wallet: Wallet, market: Market
) -> None:
    data, before = await market.dataset(), await market.balances()
    home = wallet.chain_id
    await open_run(page, pages, market, data.did)
    await choose_script(page)
    wallet.hold()
    await page.get_by_role("button", name=BUY).click()
    assert (await wallet.asked()).shows == "text"
    await wallet.change_chain(1)
    wallet.let_go()
    await expect(page.get_by_text("changed meanwhile")).to_be_visible(timeout=SLOW)
    await page.get_by_role("main").get_by_role("button", name="Choose a wallet").click()
    await page.get_by_role("button", name=f"Change to chain {home}").click()
    await expect(page.get_by_role("button", name=BUY)).to_be_visible(timeout=SLOW)
    assert await market.changes(before) == UNPAID
    assert wallet.counted["switch chain"] == 1
