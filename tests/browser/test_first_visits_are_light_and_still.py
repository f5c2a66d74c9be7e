"""A first visit over a slow line: few bytes, few requests, and nothing of a page that is read moves."""

from collections.abc import Callable

import pytest
from playwright.async_api import Browser

from bench.pages import CURATION, DESK, FORM, READING, REQUESTS, SIGNING, STATE, VERDICT
from tests.browser.visits import visit
from tests.browser.wallet import Wallet
from tests.market import Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]


async def test_a_page_that_is_read_has_40_kb_in_three_requests_and_stands_still(
    browser: Browser, market: Market
) -> None:
    asset = await market.dataset("Words that are light", description="Words of a page. " * 20)
    await market.publisher.metadata.status(asset.did, wait=20)
    for path, ready in {
        "/": "",
        "/search": "",
        f"/assets/{asset.did}": "",
        f"/accounts/{market.publisher.account}": "",
        "/receipts": "#receipt-file",
        "/help": "",
        "/security": "",
        "/status": "",
    }.items():
        seen = await visit(browser, market.provider.url + path, ready)
        assert 1 < len(seen.requests) <= REQUESTS, seen.requests
        assert seen.size <= READING, seen
        assert seen.moved == 0, f"{path}: {seen.what}"


async def test_a_page_that_signs_has_90_kb_and_few_calls_until_it_shows_its_verdict_or_state(
    browser: Browser, market: Market, make_wallet: Callable[..., Wallet]
) -> None:
    workflow = await market.workflow()
    agreement, execution = await market.run()
    for path, (ready, calls) in {
        f"/run?workflow={workflow.did}": (VERDICT, 4),
        f"/executions/{agreement.id}/{execution.execution_id}": (STATE, 3),
        f"/agreements/{agreement.id}": ("insitu-agreement .st", 6),
        "/agreements": ("insitu-agreements .st", 5),
        "/executions": ("insitu-executions .st", 2),
        "/publish/data": (FORM, 2),
        "/desk": (DESK, 5),
        f"/curation?did={workflow.did}": (CURATION, 0),
    }.items():
        seen = await visit(browser, market.provider.url + path, ready, make_wallet())
        assert seen.size <= SIGNING, (path, seen)
        assert seen.late == [], f"{path}: the document names every script of a first view, so that all begin together"
        assert len(seen.calls) <= calls, f"{path}: {seen.calls}"
