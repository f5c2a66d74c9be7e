"""An owner publishes data, an algorithm and a workflow with one signature each; a consumer buys and runs the data."""

import re
import uuid

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.chromium import Pages
from tests.browser.personal import SLOW, ids, sign_in
from tests.browser.running import BUY, UNKNOWN_PUBLICATION, choose_script
from tests.browser.wallet import Wallet
from tests.market import Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

OWNED = {"connect": 1, "text": 1, "Registrations": 1}


@pytest.fixture
async def owner(pages: Pages, make_wallet: type[Wallet]) -> Wallet:
    made: Wallet = make_wallet("owner")
    await pages.install(made)
    return made


async def begin(page: Page, pages: Pages, market: Market, kind: str, name: str) -> None:
    """Open a page of publishing, and describe an asset."""
    pages.allow(UNKNOWN_PUBLICATION)
    await sign_in(page, f"{market.provider.url}/publish/{kind}")
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("What it is").fill("Words, one a line.")


async def choose_words(page: Page) -> None:
    """Choose a file in the provider's folders."""
    await page.get_by_role("button", name="Go on: Files").click()
    await page.get_by_role("button", name="Show the folders of the provider").click()
    await page.get_by_role("button", name=re.compile("^Open ")).click(timeout=SLOW)
    await page.get_by_role("button", name="Choose words.txt").click(timeout=SLOW)
    await expect(page.get_by_role("heading", name="Chosen: 1 entry")).to_be_visible()


async def set_rules(page: Page, price: str) -> None:
    """Allow everything, of which little may leave, for a price."""
    await page.get_by_role("button", name="Go on: Rules").click()
    await page.get_by_role("radio", name="Weakest Anything").check()
    await page.get_by_label("Kinds of files").fill(".txt")
    await page.get_by_label("Shown while it runs").check()
    await page.get_by_role("button", name="Go on: Price").click()
    await page.get_by_label("Price of an agreement").fill(price)
    await page.get_by_role("button", name="Go on: Check and sign").click()


async def make(page: Page) -> Locator:
    """Make the exact document, and return the button that signs it."""
    await page.get_by_role("button", name="Make the exact document").click(timeout=SLOW)
    button = page.get_by_role("button", name="Sign and publish")
    await expect(button).to_be_visible(timeout=SLOW)
    return button


async def published(page: Page) -> str:
    """Wait until it is published, and return its DID."""
    link = page.get_by_role("link", name="See it as others see it")
    await expect(link).to_be_visible(timeout=SLOW)
    return str(await link.get_attribute("href")).removeprefix("/assets/")


async def described(page: Page, pages: Pages, market: Market, price: str = "0.00000000000000001") -> str:
    """Fill in everything of a data set that nobody has published; return its name."""
    name = f"words {uuid.uuid4().hex[:8]}"
    await begin(page, pages, market, "data", name)
    await choose_words(page)
    await set_rules(page, price)
    return name


async def test_an_owner_publishes_data_and_a_consumer_buys_and_runs(
    page: Page, pages: Pages, owner: Wallet, make_wallet: type[Wallet], market: Market
) -> None:
    name = await described(page, pages, market)
    await expect(page.locator(".wall")).to_contain_text("Any algorithm.", timeout=SLOW)
    await expect(page.locator(".wall")).to_contain_text("txt files, 100 kB in 3 files at most")
    button = await make(page)
    exact = str(await page.get_by_label("The document").text_content())
    assert owner.counted == {"connect": 1, "text": 1}
    await button.click()
    did = await published(page)
    assert owner.counted == OWNED
    registered = owner.prompts[-1].parameters[1]["message"]
    assert len(registered["items"]) == 1
    found = await market.consumer.assets.status(did)
    assert found.checksum in str(registered["items"][0]["checksum"])
    assert did in exact
    document = str((await market.consumer.assets.resolve(did)).to_json())
    for secret in ("words.txt", str(market.provider.data)):
        assert secret not in document

    consumer = await pages.open()
    buyer: Wallet = make_wallet("consumer", name="Buyer", rdns="buyer.test")
    await pages.install(buyer)
    await consumer.goto(f"{market.provider.url}/search?text={name}")
    await consumer.get_by_role("link", name=name).click()
    await expect(consumer.locator(".wall")).to_contain_text("Any algorithm.")
    await consumer.get_by_role("link", name="Run on this data set").click()
    await consumer.get_by_role("main").get_by_role("button", name="Choose a wallet").click()
    await consumer.get_by_role("button", name="Use Buyer").click()
    printed = await choose_script(consumer)
    await consumer.get_by_role("button", name=BUY).click()
    await ids(consumer)
    await expect(consumer.get_by_text(printed)).to_be_visible(timeout=SLOW)
    await expect(consumer.get_by_text("Settled on chain.")).to_be_visible(timeout=SLOW)


async def test_an_algorithm_is_uploaded_and_listed(page: Page, pages: Pages, owner: Wallet, market: Market) -> None:
    await begin(page, pages, market, "algorithm", f"count {uuid.uuid4().hex[:8]}")
    await page.get_by_role("button", name="Go on: Code").click()
    source = f"print('{uuid.uuid4().hex}')\n".encode()
    file = {"name": "count words.py", "mimeType": "text/x-python", "buffer": source}
    await page.get_by_label("Files", exact=True).set_input_files(files=file)  # type: ignore[arg-type]
    await expect(page.get_by_label("How it is started")).to_have_value("python3 'count words.py'")
    await page.get_by_role("button", name="Go on: Check and sign").click()
    await (await make(page)).click()
    did = await published(page)
    assert owner.counted == OWNED
    await page.get_by_role("button", name="List it in searches").click()
    await expect(page.get_by_role("button", name="List it in searches")).to_have_count(0, timeout=SLOW)
    assert (await market.consumer.assets.status(did)).state == "listed"
    main = (await market.consumer.assets.resolve(did)).main
    assert main["algorithm"]["entrypoint"] == "python3 'count words.py'"


async def test_a_workflow_is_drawn_and_published(page: Page, pages: Pages, owner: Wallet, market: Market) -> None:
    data, algorithm = await market.dataset(), await market.algorithm()
    await begin(page, pages, market, "workflow", f"flow {uuid.uuid4().hex[:8]}")
    await page.get_by_role("button", name="Go on: Stages").click()
    await page.get_by_label("Find data sets and algorithms").fill("words")
    await page.get_by_role("button", name="Find", exact=True).click()
    await page.get_by_role("button", name="Read in stage 0: words", exact=True).first.click(timeout=SLOW)
    await expect(page.get_by_role("textbox", name="Reads")).to_have_value(re.compile("^did:nv:"))
    await page.get_by_role("textbox", name="Reads").fill(data.did)
    await page.get_by_label("Algorithm", exact=True).fill(algorithm.did)
    await page.get_by_role("button", name="Add a stage").click()
    second = page.get_by_role("group", name="Stage 1")
    await second.get_by_label("Algorithm", exact=True).fill(algorithm.did)
    await second.get_by_role("textbox", name="Reads").fill("stage 1")
    await expect(second.get_by_text("no earlier stage")).to_be_visible(timeout=SLOW)
    await second.get_by_role("textbox", name="Reads").fill("stage 0")
    await expect(page.locator("svg.graph rect")).to_have_count(4, timeout=SLOW)
    await page.get_by_role("button", name="Go on: Check and sign").click()
    await (await make(page)).click()
    did = await published(page)
    (first, last) = (await market.consumer.assets.resolve(did)).main["workflow"]["stages"]
    assert first["input"][0]["id"] == data.did
    assert last["input"][0]["previousStage"] == 0
    assert first["transformation"] == last["transformation"] == {"id": algorithm.did, "checksum": algorithm.checksum}


async def named(market: Market, name: str) -> list[str]:
    """The DIDs of the owner's assets of this name."""
    found = await market.publisher.assets.search(name, owner=market.publisher.account)
    return [str(document["id"]) for document in found.results if name in str(document)]


async def test_after_a_no_and_a_double_click_it_is_published_once(
    page: Page, pages: Pages, owner: Wallet, market: Market
) -> None:
    name = await described(page, pages, market)
    button = await make(page)
    owner.refuse("Registrations")
    await button.click()
    await expect(page.get_by_text("You said no in the wallet")).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text("bought")).to_have_count(0)
    owner.hold()
    await button.click()
    assert (await owner.asked()).shows == "Registrations"
    await page.get_by_role("button", name="Stop waiting").click()
    await expect(button).to_be_visible()
    owner.let_go()
    assert await named(market, name) == []
    await button.dblclick()
    did = await published(page)
    assert owner.counted == {**OWNED, "Registrations": 3}
    assert await named(market, name) == [did]


async def test_what_was_written_survives_a_reload_at_each_step_and_nothing_is_published_twice(
    page: Page, pages: Pages, owner: Wallet, market: Market
) -> None:
    pages.allow("Failed to load resource|net::ERR")
    name = f"words {uuid.uuid4().hex[:8]}"
    await begin(page, pages, market, "data", name)
    await page.reload()
    await expect(page.get_by_label("Name", exact=True)).to_have_value(name, timeout=SLOW)
    await choose_words(page)
    await page.reload()
    await expect(page.get_by_role("heading", name="Chosen: 1 entry")).to_be_visible(timeout=SLOW)
    await set_rules(page, "0")
    for step, field, value in (("Rules", "Kinds of files", ".txt"), ("Price", "Price of an agreement", "0")):
        await page.get_by_role("navigation", name="Steps").get_by_role("button", name=step).click()
        await page.reload()
        await expect(page.get_by_label(field)).to_have_value(value, timeout=SLOW)
    kept = str(await page.evaluate("JSON.stringify({ ...sessionStorage })"))
    assert "insitu.publication.data" in kept
    await page.get_by_role("button", name="Go on: Check and sign").click()
    owner.hold()
    await (await make(page)).click()
    assert (await owner.asked()).shows == "Registrations"
    await page.reload()
    owner.let_go()
    button = await make(page)
    await button.click()
    await expect(page.get_by_text("pending until its block")).to_be_visible(timeout=SLOW)
    await page.reload()
    await make_again_if_needed(page)
    assert len(await named(market, name)) == 1
    again = str(await page.evaluate("JSON.stringify({ ...sessionStorage })"))
    assert name not in again


async def make_again_if_needed(page: Page) -> None:
    """After a reload while it was pending: make the same document, and let it be found or sent."""
    await (await make(page)).click()
    await published(page)


async def test_another_account_ends_what_was_asked_and_does_not_see_the_files(
    page: Page, pages: Pages, owner: Wallet, market: Market
) -> None:
    pages.allow("Failed to load resource")
    name = await described(page, pages, market)
    button = await make(page)
    owner.hold()
    await button.click()
    assert (await owner.asked()).shows == "Registrations"
    await owner.change_account("stranger")
    owner.let_go()
    await expect(page.get_by_text("changed meanwhile")).to_be_visible(timeout=SLOW)
    steps = page.get_by_role("navigation", name="Steps")
    await steps.get_by_role("button", name="Files").click()
    await expect(page.get_by_text("words.txt")).to_have_count(0)
    await page.get_by_role("button", name="Show the folders of the provider").click()
    await expect(page.get_by_text("CreatorNotAllowed")).to_be_visible(timeout=SLOW)
    await steps.get_by_role("button", name="Describe").click()
    await expect(page.get_by_label("Name", exact=True)).to_have_value(name)
    assert await named(market, name) == []
    await owner.change_account("owner")
    await steps.get_by_role("button", name="Files").click(timeout=SLOW)
    await expect(page.get_by_role("heading", name="Chosen: 1 entry")).to_be_visible(timeout=SLOW)


async def test_another_chain_in_the_middle_publishes_nothing_and_keeps_what_was_written(
    page: Page, pages: Pages, owner: Wallet, market: Market
) -> None:
    pages.allow("Failed to load resource")
    name = await described(page, pages, market)
    button = await make(page)
    home = owner.chain_id
    owner.hold()
    await button.click()
    assert (await owner.asked()).shows == "Registrations"
    await owner.change_chain(1)
    owner.let_go()
    await expect(page.get_by_text("changed meanwhile")).to_be_visible(timeout=SLOW)
    assert await named(market, name) == []
    await owner.change_chain(home)
    await page.reload()
    await page.get_by_role("navigation", name="Steps").get_by_role("button", name="Describe").click(timeout=SLOW)
    await expect(page.get_by_label("Name", exact=True)).to_have_value(name)
    await page.get_by_role("navigation", name="Steps").get_by_role("button", name="Check and sign").click()
    await make_again_if_needed(page)
    did = await published(page)
    assert await named(market, name) == [did]


async def test_what_is_wrong_stands_at_its_field_and_odd_names_are_seen(
    page: Page, pages: Pages, owner: Wallet, market: Market
) -> None:
    name = f"<b>words</b>\u202e {uuid.uuid4().hex[:8]}"
    await begin(page, pages, market, "data", name)
    aside = page.get_by_role("complementary", name="Preview")
    await expect(aside.get_by_role("heading")).to_contain_text("<b>words</b>\\u202e")
    await choose_words(page)
    await set_rules(page, "ten")
    await expect(page.get_by_text("It cannot be published yet.")).to_be_visible(timeout=SLOW)
    await expect(page.get_by_role("button", name="Make the exact document")).to_have_count(0)
    await page.get_by_role("form").get_by_role("button", name="Price", exact=True).click()
    price = page.get_by_label("Price of an agreement")
    await expect(price).to_have_attribute("aria-invalid", "true")
    await expect(price).to_have_accessible_description(re.compile("not a decimal number"))
    for wrong in ("1,5", "-1", "1e3", "0.0000000000000000001"):
        await price.fill(wrong)
        await expect(price).to_have_accessible_description(re.compile(re.escape(wrong)), timeout=SLOW)
    await price.fill("1.5")
    await expect(price).not_to_have_attribute("aria-invalid", "true", timeout=SLOW)
    await page.get_by_role("button", name="Go on: Check and sign").click()
    await (await make(page)).click()
    did = await published(page)
    await page.get_by_role("link", name="See it as others see it").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("\\u202e")
    assert (await market.consumer.assets.resolve(did)).main["name"] == name
