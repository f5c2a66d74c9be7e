"""A no, a reload, another account or chain in the middle of what is signed: nothing half done counts."""

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from insitu.sdk.publishing import Asset
from tests.browser.chromium import Pages
from tests.browser.personal import SLOW, ids, sign_in
from tests.browser.running import BUY, open_run
from tests.browser.test_a_failed_run_costs_nothing_now import BACK, BROKEN, ENDLESS
from tests.browser.test_an_owner_watches_the_desk import asset_row
from tests.browser.wallet import Wallet
from tests.market import SETTLED, UNPAID, UPPER, Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

NO = "You said no in the wallet"
SCRIPT = {"name": "run.py", "mimeType": "text/x-python", "buffer": b"print('corrected')\n"}

Interrupt = Callable[[Page, Wallet], Awaitable[None]]


async def reload(page: Page, wallet: Wallet) -> None:
    """Load the page again while the wallet waits, and say yes then."""
    await page.reload()
    wallet.let_go()


async def use_another_account(page: Page, wallet: Wallet) -> None:
    """Go to another account while the wallet waits, say yes, and come back."""
    mine = "owner" if wallet.info["rdns"] == "owner.test" else "consumer"
    await wallet.change_account("stranger")
    wallet.let_go()
    await page.wait_for_timeout(500)
    await wallet.change_account(mine)


async def use_another_chain(page: Page, wallet: Wallet) -> None:
    """Go to another chain while the wallet waits, say yes, and come back."""
    home = wallet.chain_id
    await wallet.change_chain(1)
    wallet.let_go()
    await page.wait_for_timeout(500)
    await wallet.change_chain(home)


INTERRUPTIONS: tuple[Interrupt, ...] = (reload, use_another_account, use_another_chain)


async def interrupted(page: Page, wallet: Wallet, press: Callable[[], Awaitable[None]], interrupt: Interrupt) -> None:
    """Press, wait until the wallet asks for a signature, and interrupt that."""
    wallet.hold()
    await press()
    assert (await wallet.asked(60)).method == "eth_signTypedData_v4"
    await interrupt(page, wallet)


async def test_a_correction_is_published_once_and_runs_once(page: Page, wallet: Wallet, market: Market) -> None:
    agreement, _ = await market.run(BROKEN)
    before = await market.balances()
    address = f"{market.provider.url}/agreements/{agreement.id}"
    await sign_in(page, address)
    await expect(page.get_by_label("Corrected script")).to_be_attached(timeout=SLOW)

    async def press() -> None:
        await page.get_by_label("Corrected script").set_input_files(SCRIPT, timeout=SLOW)  # type: ignore[arg-type]
        await page.get_by_role("button", name="Publish the correction and run it").click()

    wallet.refuse()
    await press()
    await expect(page.get_by_text(NO)).to_be_visible(timeout=SLOW)
    for interrupt in INTERRUPTIONS:
        await interrupted(page, wallet, press, interrupt)
        await page.goto(address)
        await expect(page.get_by_label("Corrected script")).to_be_attached(timeout=SLOW)
        assert len(await market.consumer.compute.executions(agreement.id)) == 1, interrupt.__name__
    await press()
    bought, _ = await ids(page)
    assert bought == agreement.id
    await expect(page.get_by_text("Settled on chain.")).to_be_visible(timeout=SLOW)
    assert await market.changes(before) == SETTLED
    assert len(await market.consumer.compute.executions(agreement.id)) == 2


async def test_a_pause_counts_when_all_of_it_is_signed(
    page: Page, pages: Pages, make_wallet: Callable[..., Wallet], market: Market
) -> None:
    wallet = make_wallet("owner", rdns="owner.test")
    await pages.install(wallet)
    data = await market.dataset("paused with a no", max_executions=5)
    workflow = await market.workflow(UPPER, data)
    row = asset_row(page, data)
    address = f"{market.provider.url}/desk"
    await sign_in(page, address)
    await expect(row.get_by_text("Listed")).to_be_visible(timeout=SLOW)

    async def press() -> None:
        button = row.get_by_role("button", name=re.compile("^Pause:"))
        if not await button.is_visible():
            await row.get_by_text("Change…").click(timeout=SLOW)
        await button.click(timeout=SLOW)

    async def may_run() -> bool:
        return (await market.consumer.agreements.check(workflow.did)).allowed

    wallet.refuse()
    await press()
    await expect(page.get_by_text(NO)).to_be_visible(timeout=SLOW)
    assert await may_run()
    for interrupt in INTERRUPTIONS:
        await interrupted(page, wallet, press, interrupt)
        await page.goto(address)
        await expect(row.get_by_text("Listed")).to_be_visible(timeout=SLOW)
        assert await may_run(), interrupt.__name__
    await press()
    # The gateway remembers pauses of what somebody bought; this one is in registry and catalogue alone.
    await expect(row.get_by_text("Retired", exact=True)).to_be_visible(timeout=SLOW)
    assert not await may_run()
    again = row.get_by_role("button", name=re.compile("^Offer it again:"))
    if not await again.is_visible():
        await row.get_by_text("Change…").click(timeout=SLOW)
    await again.click(timeout=SLOW)
    await expect(row.get_by_text("Listed")).to_be_visible(timeout=SLOW)
    assert await may_run()


async def test_closing_twice_and_loading_again_returns_the_money_once(
    page: Page, pages: Pages, wallet: Wallet, market: Market
) -> None:
    pages.allow("Failed to load resource|ERR_")
    agreement = await market.buy()
    before = await market.balances()
    await sign_in(page, f"{market.provider.url}/agreements/{agreement.id}")
    await page.get_by_role("button", name="What comes back?").click(timeout=SLOW)
    await page.get_by_role("button", name=re.compile("Close it and get .* back")).dblclick()
    await page.reload()
    closed = page.get_by_text("It was closed early, and the whole price came back.")
    again = page.get_by_role("button", name="What comes back?")
    await expect(closed.or_(again).first).to_be_visible(timeout=SLOW)
    if await again.count():
        await again.click()
        await page.get_by_role("button", name=re.compile("Close it and get .* back")).click()
    await expect(closed).to_be_visible(timeout=SLOW)
    assert await market.changes(before) == BACK
    assert wallet.counted == {"connect": 1, "text": 1}


async def stop_and_revoke(market: Market, data: Asset) -> None:
    """Let the owner pause a data set, and stop what runs on it."""
    await market.publisher.assets.pause(data.did, stop_running=True)


async def test_an_owner_stops_and_revokes_while_a_consumer_watches(
    page: Page, pages: Pages, wallet: Wallet, market: Market
) -> None:
    data = await market.dataset("revoked while watched", max_executions=5)
    agreement = await market.consumer.agreements.buy((await market.workflow(ENDLESS, data)).did)
    execution = await market.consumer.compute.execute(agreement.id)
    await sign_in(page, f"{market.provider.url}/executions/{agreement.id}/{execution.execution_id}")
    await expect(page.get_by_text("going on")).to_be_visible(timeout=SLOW)
    await stop_and_revoke(market, data)
    await expect(page.get_by_text("StoppedByOwner")).to_be_visible(timeout=SLOW)
    await expect(
        page.get_by_text("Nothing now", exact=True).or_(page.get_by_text("Nothing.", exact=True)).first
    ).to_be_visible()


async def test_what_an_owner_revokes_while_its_price_is_shown_opens_no_wallet(
    page: Page, pages: Pages, wallet: Wallet, market: Market
) -> None:
    pages.allow("Failed to load resource|status of 4")
    data = await market.dataset("revoked while its price is shown", max_executions=5)
    workflow, before = await market.workflow(UPPER, data), await market.balances()
    await open_run(page, pages, market, data.did)
    await page.get_by_label("A workflow").check()
    await page.get_by_label("Workflow", exact=True).select_option(workflow.did)
    await expect(page.get_by_role("button", name=BUY)).to_be_visible(timeout=SLOW)
    await stop_and_revoke(market, data)
    await page.get_by_role("button", name=BUY).click()
    await expect(page.locator("#verdict")).to_contain_text(re.compile("Refused|Not known"), timeout=SLOW)
    await expect(page.get_by_role("button", name=BUY)).to_have_count(0)
    assert set(wallet.counted) <= {"connect", "text"}
    assert await market.changes(before) == UNPAID
