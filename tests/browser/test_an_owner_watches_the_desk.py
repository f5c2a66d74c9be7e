"""What an owner sees and does at the desk while others run on their data, and what a consumer sees of it."""

import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, Route, expect

from insitu.domain.execution import Phase
from insitu.sdk.publishing import Asset
from tests.browser.chromium import Pages
from tests.browser.personal import SLOW, sign_in
from tests.browser.test_a_failed_run_costs_nothing_now import BROKEN, ENDLESS
from tests.browser.wallet import Wallet
from tests.market import PRICE, UPPER, Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

GOT = f"0.{PRICE:018d}".rstrip("0") + " NVM"
PAUSED_NOW = "Pause and stop what runs"


@pytest.fixture
async def owner(pages: Pages, make_wallet: Callable[..., Wallet]) -> Wallet:
    """The wallet of the account that publishes, in every page of the test."""
    wallet = make_wallet("owner")
    await pages.install(wallet)
    return wallet


async def offer(market: Market, name: str) -> Asset:
    return await market.dataset(name, max_executions=5)


async def workflow(market: Market, dataset: Asset, source: str) -> str:
    return (await market.workflow(source, dataset)).did


def asset_row(page: Page, dataset: Asset) -> Locator:
    return page.locator(f"tr[id='{dataset.did}']")


async def change(page: Page, dataset: Asset, action: str) -> None:
    """Press a button of a data set, and wait until the wallet and the catalogue are done."""
    row = asset_row(page, dataset)
    button = row.get_by_role("button", name=re.compile(f"^{action}:"))
    if not await button.is_visible():
        await row.get_by_text("Change…").click(timeout=SLOW)
    await button.click(timeout=SLOW)
    await expect(button).to_have_count(0, timeout=SLOW)


async def test_an_owner_watches_stops_pauses_and_resumes(
    page: Page, pages: Pages, owner: Wallet, make_wallet: Callable[..., Wallet], market: Market, tmp_path: Path
) -> None:
    data = await offer(market, "watched at the desk")
    await sign_in(page, f"{market.provider.url}/desk")
    await expect(asset_row(page, data).get_by_text("Listed")).to_be_visible(timeout=SLOW)

    # The consumer buys and fails: nothing left, and nothing was earned.
    bought = await market.consumer.agreements.buy(await workflow(market, data, BROKEN))
    failed = await market.consumer.compute.execute(bought.id)
    row = page.locator(f"#{failed.execution_id}")
    await expect(row.get_by_text("Failed in Executing")).to_be_visible(timeout=SLOW)
    await expect(row.get_by_text("Holds", exact=True).or_(row.get_by_text("Not on chain yet"))).to_be_visible(
        timeout=SLOW
    )
    await expect(row.locator("[data-l=left]")).to_contain_text("nothing")
    await expect(row.locator("[data-l='you got']")).to_have_text(re.compile("^0.* if no run succeeds$"))
    await expect(row.get_by_text("version 1")).to_be_visible(timeout=SLOW)

    # They correct it under the same agreement, and the price is the owner's.
    corrected = tmp_path / "run.py"
    corrected.write_text(UPPER)
    succeeded = await market.consumer.revise(bought.id, corrected)
    row = page.locator(f"#{succeeded.execution_id}")
    await expect(row.get_by_text("Succeeded")).to_be_visible(timeout=SLOW)
    await expect(row.get_by_text("Holds", exact=True)).to_be_visible(timeout=SLOW)
    await expect(row.locator("[data-l=left]")).to_contain_text("2 files")
    await expect(row.locator("[data-l='you got']")).to_have_text(GOT)
    await expect(row.get_by_text("version 2")).to_be_visible(timeout=SLOW)

    # What runs is stopped at the desk, after a question.
    endless = await market.consumer.agreements.buy(await workflow(market, data, ENDLESS))
    running = await market.consumer.compute.execute(endless.id)
    card = page.locator(f"li#{running.execution_id}")
    await expect(card.get_by_text("Executing")).to_be_visible(timeout=SLOW)
    await expect(card.get_by_text("Nothing leaves, and the consumer pays nothing for it.")).to_be_visible()
    await card.get_by_text("Stop…").click()
    await card.get_by_role("button", name="Yes, stop it now").click()
    await expect(page.locator(f"tr#{running.execution_id}").get_by_text("Stopped", exact=True)).to_be_visible(
        timeout=SLOW
    )
    assert (await running.wait(30)).phase is Phase.STOPPED

    # A pause that stops what runs; the consumer sees both on their own page.
    again = await market.consumer.compute.execute(endless.id)
    await expect(page.locator(f"li#{again.execution_id}").get_by_text("Executing")).to_be_visible(timeout=SLOW)
    theirs = await pages.open()
    await make_wallet("consumer", name="Consumer wallet", rdns="consumer.test").install(theirs.context)
    await theirs.goto(f"{market.provider.url}/executions", timeout=SLOW)
    await theirs.get_by_role("button", name="Sign in").click(timeout=SLOW)
    await theirs.get_by_role("button", name="Use Consumer wallet").click(timeout=SLOW)
    await expect(theirs.locator(f"#{again.execution_id}").get_by_text("Executing")).to_be_visible(timeout=SLOW)
    await change(page, data, PAUSED_NOW)
    await expect(asset_row(page, data).get_by_text("Paused", exact=True)).to_be_visible(timeout=SLOW)
    await expect(asset_row(page, data).get_by_text("what runs is stopped")).to_be_visible()
    await expect(theirs.locator(f"#{again.execution_id}").get_by_text("StoppedByOwner")).to_be_visible(timeout=SLOW)
    assert not (await market.consumer.agreements.check(await workflow(market, data, UPPER))).allowed
    await change(page, data, "Resume")
    await expect(asset_row(page, data).get_by_text("Listed")).to_be_visible(timeout=SLOW)
    assert (await market.consumer.agreements.check(await workflow(market, data, UPPER))).allowed


async def test_a_gateway_that_gives_another_receipt_proves_nothing(page: Page, owner: Wallet, market: Market) -> None:
    _, honest = await market.run()
    _, other = await market.run()
    receipt = f"**/compute/receipt/*/{honest.execution_id}"

    async def lie(route: Route) -> None:
        told = await route.fetch(url=route.request.url.replace(honest_ids, other_ids))
        await route.fulfill(response=told)

    honest_ids = f"{honest.agreement_id}/{honest.execution_id}"
    other_ids = f"{other.agreement_id}/{other.execution_id}"
    await page.route(receipt, lie)
    await sign_in(page, f"{market.provider.url}/desk")
    row = page.locator(f"#{honest.execution_id}")
    await expect(row.get_by_text("The gateway gave the receipt of another execution.")).to_be_visible(timeout=SLOW)
    await expect(row.locator("[data-l=left]")).to_have_text("not proved")
    await expect(page.locator(f"#{other.execution_id}").get_by_text("Holds", exact=True)).to_be_visible(timeout=SLOW)


async def open_version(page: Page, row: Locator) -> Locator:
    """Open the window in which a data set is changed, with its rules, price, servers and images."""
    await row.get_by_text("Change…").click(timeout=SLOW)
    await row.get_by_role("button", name="New version…").click()
    window = page.get_by_role("dialog", name="New version")
    await window.get_by_text("Rules", exact=True).click(timeout=SLOW)
    await window.get_by_text("Price, servers and images").click()
    return window


async def compute_main(market: Market, data: Asset) -> dict[str, Any]:
    (compute,) = (await market.consumer.assets.resolve(data.did)).compute_services
    return dict(compute.main)


async def test_a_new_version_is_judged_while_it_is_typed_and_signed_as_shown(
    page: Page, owner: Wallet, market: Market
) -> None:
    data = await offer(market, "to be changed at the desk")
    present = await compute_main(market, data)
    await sign_in(page, f"{market.provider.url}/desk")
    row = asset_row(page, data)
    window = await open_version(page, row)
    files = window.get_by_label("Files, at most")
    await files.fill("many")
    await expect(files).to_have_accessible_description(re.compile("not a whole number"), timeout=SLOW)
    await expect(window.get_by_role("button", name="Sign")).to_have_count(0)
    await window.get_by_label("Kinds of files").fill(".nothing-known")
    await files.fill("7")
    await expect(window.get_by_role("alert")).to_be_visible(timeout=SLOW)
    await expect(window.get_by_role("button", name="Sign")).to_have_count(0)
    await window.get_by_label("Kinds of files").fill("")
    await window.get_by_label("Name", exact=True).fill("changed <b>at</b> the desk")
    await window.get_by_label("Price of an agreement").fill("0.000000000000000012")
    changed = window.get_by_role("row")
    await expect(changed.filter(has_text="Rule output.maxFiles")).to_contain_text("7", timeout=SLOW)
    await expect(changed.filter(has_text="Name")).to_contain_text("changed <b>at</b> the desk")
    await expect(changed.filter(has_text="Price")).to_contain_text("0.000000000000000012 NVM")
    before = owner.counted.get("Updates", 0)
    await window.get_by_role("button", name="Sign 3 changes").click()
    await expect(row.get_by_text("version 2", exact=True)).to_be_visible(timeout=SLOW)
    await expect(row.get_by_role("link", name="changed <b>at</b> the desk", exact=True)).to_be_visible()
    assert owner.counted["Updates"] == before + 1
    now = await compute_main(market, data)
    assert now["price"] == "12"
    assert now["policy"] == {**present["policy"], "output": {**present["policy"]["output"], "maxFiles": 7}}


async def test_a_new_version_keeps_what_no_field_shows(page: Page, owner: Wallet, market: Market) -> None:
    """Rules that the form writes in one way only, a time that is no number of days, and the version of an algorithm."""
    algorithm = await market.algorithm()
    limits = {"maxBytes": 12_345, "maxLogBytes": 77, "types": [".txt"]}
    rare = {"data": "pinned", "output": limits, "timeout": 4000, "logs": "live", "algorithms": [algorithm.did]}
    data = await market.dataset("made elsewhere", max_executions=5, **rare)
    present = await compute_main(market, data)
    assert present["policy"]["output"]["maxLogBytes"] == 77
    await sign_in(page, f"{market.provider.url}/desk")
    row = asset_row(page, data)
    window = await open_version(page, row)
    await expect(window.get_by_label("DIDs of the algorithms")).to_have_value(algorithm.did)
    await window.get_by_label("In all, at most").fill("2 kB")
    await window.get_by_label("Failures cost nothing").check()
    await window.get_by_role("button", name="Sign 2 changes").click(timeout=SLOW)
    await expect(row.get_by_text("version 2", exact=True)).to_be_visible(timeout=SLOW)
    now = await compute_main(market, data)
    policy = {**present["policy"], "output": {**present["policy"]["output"], "maxBytes": 2000}, "failures": "free"}
    assert now == {**present, "policy": policy}


async def test_the_runs_on_one_data_set_are_shown_alone(page: Page, owner: Wallet, market: Market) -> None:
    data, other = await offer(market, "looked at alone"), await offer(market, "left out")
    shown, hidden = [
        await market.consumer.compute.execute(
            (await market.consumer.agreements.buy(await workflow(market, one, UPPER))).id
        )
        for one in (data, other)
    ]
    await sign_in(page, f"{market.provider.url}/desk")
    await expect(page.locator(f"#{hidden.execution_id}")).to_be_visible(timeout=SLOW)
    await asset_row(page, data).get_by_role("link", name="Its runs: looked at alone").click(timeout=SLOW)
    await expect(page.locator(f"#{shown.execution_id}")).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text("These are the runs on")).to_be_visible()
    again = await market.consumer.agreements.buy(await workflow(market, data, BROKEN))
    beside = await market.consumer.agreements.buy(await workflow(market, other, BROKEN))
    left_out = await market.consumer.compute.execute(beside.id)
    followed = await market.consumer.compute.execute(again.id)
    await expect(page.locator(f"tr#{followed.execution_id}")).to_be_visible(timeout=SLOW)
    for execution in (hidden, left_out):
        await expect(page.locator(f"#{execution.execution_id}")).to_have_count(0)

    # What left of it in 30 days is the sum of what its receipts say.
    receipts = [
        (await market.consumer.verify(await execution.receipt(), on_chain=False)).statement.predicate
        for execution in (shown, followed)
    ]
    left = sum(one.delivered.log_bytes + (one.output.bytes if one.output else 0) for one in receipts)
    total = page.locator("dl.sum > div").filter(has_text="Left in 30 days")
    await expect(total).to_contain_text(f"{left} Bin 2 runs", timeout=SLOW)
    await page.get_by_role("link", name="Show all runs").click()
    await expect(page.locator(f"#{left_out.execution_id}")).to_be_visible(timeout=SLOW)


async def test_a_desk_follows_the_account_and_says_what_to_do_where_nothing_is_owned(
    page: Page, owner: Wallet, market: Market
) -> None:
    await market.run()
    await sign_in(page, f"{market.provider.url}/desk")
    await expect(page.get_by_role("heading", name="What left")).to_be_visible(timeout=SLOW)
    await owner.change_account("stranger")
    await expect(page.get_by_text("Nothing has run on data of this account.")).to_be_visible(timeout=SLOW)
    await expect(page.get_by_role("heading", name="What left")).to_have_count(0)
    await expect(page.get_by_text("This account owns no data set in this catalogue.")).to_be_visible(timeout=SLOW)
    await owner.change_account("owner")
    await expect(page.get_by_role("heading", name="What left")).to_be_visible(timeout=SLOW)


@pytest.mark.parametrize("path", ["desk", "executions", "agreements"])
async def test_a_gateway_that_is_away_is_a_line_and_the_others_are_shown(
    page: Page, pages: Pages, owner: Wallet, market: Market, path: str
) -> None:
    """The address of a gateway at which nobody listens stands first in what the page is told."""
    pages.allow("ERR_CONNECTION_REFUSED")
    with socket.create_server(("127.0.0.1", 0)) as found:
        dead = f"http://127.0.0.1:{found.getsockname()[1]}"

    async def name_another(route: Route) -> None:
        answer = await route.fetch()
        policy = answer.headers["content-security-policy"].replace("connect-src 'self'", f"connect-src 'self' {dead}")
        told = re.sub(r'("gateways":\s*\[)', rf'\1"{dead}", ', await answer.text())
        await route.fulfill(response=answer, body=told, headers={**answer.headers, "content-security-policy": policy})

    await page.route(f"{market.provider.url}/{path}", name_another)
    await sign_in(page, f"{market.provider.url}/{path}")
    await expect(page.get_by_text(f"{dead} does not answer, so what it has is missing here")).to_be_visible(
        timeout=SLOW
    )
    shown = {
        "desk": "Running now",
        "executions": "This account has not run anything yet.",
        "agreements": "This account has not bought anything yet.",
    }
    await expect(page.get_by_text(shown[path]).first).to_be_visible(timeout=SLOW)
