"""A wallet whose account is a contract buys, runs and downloads, or reads what is missing before it signs."""

import json
from collections.abc import Callable

import pytest
from playwright.async_api import Page, expect

from insitu.adapters.chain.contracts import encode_call
from insitu.adapters.chain.rpc import JsonRpc
from insitu.adapters.chain.transactions import Transactions
from insitu.adapters.keys.dev import dev_signer
from insitu.domain.ids import read_address
from insitu.domain.ledger import Call
from tests.browser.chromium import Pages
from tests.browser.personal import SLOW, ids
from tests.browser.running import BUY, choose_script, open_run
from tests.browser.wallet import Wallet
from tests.doubles.safe import Safe, deploy_safe
from tests.market import PRICE, SERVER_PRICE, Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

TOTAL = PRICE + SERVER_PRICE


@pytest.fixture
async def safe(market: Market) -> Safe:
    """A contract account of two owners with 100 base units, no coin, and no allowance."""
    deployments = json.loads(market.provider.settings.deployments.read_text("utf-8"))
    consumer = dev_signer("consumer")
    made = await deploy_safe(deployments["rpcUrl"], (consumer, dev_signer("stranger")))
    token = read_address(market.consumer.chain.contract("NeverminedToken"))
    give = encode_call(Call("NeverminedToken", "transfer", (made.address, 100)))
    async with JsonRpc(made.url) as rpc:
        await Transactions(rpc, made.chain_id, None).send(token, give, consumer)
    return made


async def test_a_contract_account_reads_what_is_missing_and_then_buys_runs_and_downloads(
    page: Page, pages: Pages, safe: Safe, make_wallet: Callable[..., Wallet], market: Market
) -> None:
    wallet = make_wallet(safe)
    await pages.install(wallet)
    chain = market.consumer.chain
    data = await market.dataset()
    await open_run(page, pages, market, data.did)
    await page.get_by_label("Script", exact=True).set_input_files(
        {"name": "count.py", "mimeType": "text/x-python", "buffer": b"print('not yet')\n"}
    )
    note = page.get_by_text("Your account is a contract, which cannot sign a permit")
    await expect(note).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text(str(market.contracts["template"])).last).to_be_attached()
    await expect(page.get_by_role("button", name=BUY)).to_have_count(0)
    assert wallet.counted == {"connect": 1}, "nothing is signed in vain"

    allow = encode_call(Call("NeverminedToken", "approve", (chain.agreements.contract, TOTAL)))
    await safe.execute(read_address(chain.contract("NeverminedToken")), allow, dev_signer("consumer"))
    await page.get_by_role("button", name="Look again").click()
    await expect(page.get_by_role("button", name=BUY)).to_be_visible(timeout=SLOW)
    printed = await choose_script(page)
    await page.get_by_role("button", name=BUY).click()
    await ids(page)
    await expect(page.get_by_text(printed)).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text("checks hold")).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text("Settled on chain.")).to_be_visible(timeout=SLOW)
    async with page.expect_download() as saving:
        await page.get_by_role("button", name="Download out.txt").click()
    assert (await (await saving.value).path()).read_text() in printed
    assert wallet.counted == {"connect": 1, "text": 1, "Registrations": 1, "Terms": 1}
    assert await chain.balance(safe.address) == 100 - TOTAL
