"""Two gateways and a marketplace by itself: each has an origin of its own, and a page calls no other."""

import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
import httpx
import pytest
from playwright.async_api import Page, expect

from insitu import connect_async
from insitu.adapters.keys.dev import dev_signer
from insitu.domain.amount import Amount
from insitu.sdk.publishing import Asset
from insitu.stack.parts import open_images
from insitu.testing.provider import ProviderProcess
from tests.browser.chromium import Pages
from tests.browser.personal import SLOW, ids, sign_in
from tests.browser.running import BUY, UNKNOWN_PUBLICATION, choose_script
from tests.browser.test_an_owner_publishes_on_a_page import choose_words, make, published, set_rules
from tests.browser.wallet import Wallet
from tests.doubles.recording_relay import recording_relay
from tests.journeys.people import PASSWORD, RELAYER_KEY
from tests.journeys.provider import Person, serving
from tests.journeys.test_each_actor_in_its_own_process import free_ports
from tests.market import PRICE, SERVER, open_provider

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]


@dataclass(frozen=True)
class Origins:
    """Who is where. ``unnamed`` is a marketplace that names the first gateway, and that no gateway names.

    ``asked`` is all that browsers sent to the process of the other marketplace.
    """

    first: ProviderProcess
    second: str
    data: Path
    market: str
    unnamed: str
    asked: list[bytes]

    @property
    def named(self) -> set[str]:
        return {self.first.url, self.second}


@pytest.fixture(scope="module")
def origins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origins]:
    folder = tmp_path_factory.mktemp("origins")
    second_port, market_port, unnamed_port, hidden_port = free_ports(4)
    second, market = f"http://127.0.0.1:{second_port}", f"http://127.0.0.1:{market_port}"
    listed = json.dumps([market])
    welcome = {"gateway__marketplaces": listed, "metadata__gateways": json.dumps([dev_signer("relayer").address])}
    with ExitStack() as stack:
        first = stack.enter_context(open_provider(folder / "first", **welcome))
        deployments = folder / "contracts.json"
        shutil.copy(first.settings.deployments, deployments)
        node = json.loads(deployments.read_text("utf-8"))["rpcUrl"]
        chain = (f"chain.rpc_url={node}", f"chain.deployments={deployments}", "chain.confirmations=0")
        others = _second_home(folder, (*chain, f"metadata.url={first.url}"), second)
        data = folder / "data"
        data.mkdir()
        (data / "words.txt").write_text("four five six\n")
        here = (
            *(f"gateway.creators={json.dumps([dev_signer('owner').address])}", f"gateway.data_roots={data}"),
            *(f"gateway.servers={json.dumps([SERVER])}", f"gateway.marketplaces={listed}"),
        )
        settings = (*others, *here, f"server.port={second_port}")
        stack.enter_context(
            serving(("gateway", "operator"), folder / "second", settings, INSITU_PROVIDER_PASSWORD=PASSWORD)
        )
        shown = {"market": (hidden_port, [first.url, second]), "unnamed": (unnamed_port, [first.url])}
        for name, (port, gateways) in shown.items():
            (folder / name).mkdir()
            told = f"marketplace.gateways={json.dumps(gateways)}"
            settings = (f"metadata.url={first.url}", told, f"server.port={port}")
            stack.enter_context(serving(("marketplace",), folder / name, settings))
        asked = stack.enter_context(recording_relay(market_port, hidden_port))
        yield Origins(first, second, data, market, f"http://127.0.0.1:{unnamed_port}", asked)


def _second_home(folder: Path, settings: tuple[str, ...], url: str) -> tuple[str, ...]:
    """Prepare the data folder of the second gateway: its key, and an image."""
    home = folder / "second"
    person = Person(home, url, flags=settings, variables={"INSITU_KEY_PASSWORD": PASSWORD})
    person.succeeds("keys", "import", "provider", "-", typed=RELAYER_KEY)
    anyio.run(partial(open_images(ProviderProcess(home).settings).build_from_host, [], "insitu/python", "3"))
    return settings


@pytest.fixture
async def offered(origins: Origins) -> tuple[Asset, Asset]:
    """A data set at each gateway, in the one catalogue."""
    found = []
    known = origins.first.settings
    settings = known.model_copy(update={"metadata": known.metadata.model_copy(update={"url": origins.first.url})})
    files = {origins.first.url: origins.first.data / "words.txt", origins.second: origins.data / "words.txt"}
    for number, (url, file) in enumerate(files.items(), 1):
        async with await connect_async(url, account="owner", settings=settings) as owner:
            offer = {"algorithms": "any", "price": Amount.from_base_units(PRICE)}
            asset = await owner.assets.publish_dataset(f"Three origins {number}", [str(file)], **offer)
            await owner.metadata.status(asset.did, wait=20)
            found.append(asset)
    return found[0], found[1]


@pytest.fixture
async def wallet(origins: Origins, pages: Pages) -> Wallet:
    deployments = json.loads(origins.first.settings.deployments.read_text("utf-8"))
    made = Wallet(deployments["rpcUrl"], int(deployments["chainId"]))
    await pages.install(made)
    return made


def may_call(answer: httpx.Response) -> set[str]:
    """The origins that a page may call besides its own."""
    rules = dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))
    return set(rules["connect-src"].split()) - {"'self'"}


async def test_a_consumer_finds_both_and_buys_at_each(
    origins: Origins, offered: tuple[Asset, Asset], pages: Pages, wallet: Wallet
) -> None:
    pages.allow(UNKNOWN_PUBLICATION)
    page = await pages.open()
    called = set[str]()
    page.on("request", lambda request: called.add(request.url.split("/api/")[0]) if "/api/" in request.url else None)
    bought = []
    for number, asset in enumerate(offered, 1):
        await page.goto(f"{origins.market}/search?text=three+origins")
        await page.get_by_role("link", name=f"Three origins {number}").click()
        await page.get_by_role("main").get_by_role("link", name="Run").first.click()
        await page.wait_for_url(f"**/run?on={asset.did}*", timeout=SLOW)
        await choose_wallet(page, wallet)
        printed = await choose_script(page)
        await page.get_by_role("button", name=BUY).click()
        bought.append(await ids(page))
        await expect(page.get_by_text(printed)).to_be_visible(timeout=SLOW)
        await expect(page.get_by_text("Settled on chain.")).to_be_visible(timeout=SLOW)
    assert called == origins.named, "and nobody else"
    # One sign-in at each gateway, in a text that names the page and the gateway.
    signed = [prompt.parameters[0] for prompt in wallet.prompts if prompt.shows == "text"]
    assert [text.splitlines()[0] for text in signed] == [
        f"{origins.market} wants you to sign in with your Ethereum account:"
    ] * 2
    assert [gateway in text for gateway, text in zip((origins.first.url, origins.second), signed, strict=True)] == [
        True,
        True,
    ]
    await page.goto(f"{origins.market}/agreements")
    for agreement, _ in bought:
        await expect(page.locator(f"a[href*='{agreement}']").first).to_be_visible(timeout=SLOW)


async def test_an_owner_chooses_the_provider_of_what_is_published(
    origins: Origins, pages: Pages, wallet: Wallet
) -> None:
    await wallet.change_account("owner")
    page = await pages.open()
    name = f"Chosen provider {uuid.uuid4().hex[:8]}"
    pages.allow(UNKNOWN_PUBLICATION)
    await sign_in(page, f"{origins.market}/publish/data")
    provider, chosen = page.get_by_label("Provider", exact=True), page.get_by_role("heading", name="Chosen: 1 entry")
    await expect(provider).to_have_value(origins.first.url, timeout=SLOW)
    await page.get_by_label("Name", exact=True).fill(name)
    await choose_words(page)
    await provider.select_option(origins.second)
    await page.get_by_role("button", name="Use this provider").click()
    await expect(page.get_by_role("button", name="Show the folders of the provider")).to_be_visible(timeout=SLOW)
    await expect(chosen).to_have_count(0)
    await page.reload()
    await expect(provider).to_have_value(origins.second, timeout=SLOW)
    await page.get_by_role("navigation", name="Steps").get_by_role("button", name="Describe").click()
    await expect(page.get_by_label("Name", exact=True)).to_have_value(name)
    await choose_words(page)
    await set_rules(page, "0")
    await (await make(page)).click()
    did = await published(page)
    async with httpx.AsyncClient() as http:
        document = (await http.get(f"{origins.first.url}/api/v1/metadata/assets/ddo/{did}")).json()
    endpoints = [entry["serviceEndpoint"] for entry in document["service"] if entry["type"] == "compute"]
    assert [endpoint.startswith(f"{origins.second}/") for endpoint in endpoints] == [True]


async def choose_wallet(page: Page, wallet: Wallet) -> None:
    """Choose the wallet of the test; a tab remembers it."""
    if not wallet.counted:
        await page.get_by_role("main").get_by_role("button", name="Choose a wallet").click(timeout=SLOW)
        await page.get_by_role("button", name="Use Test wallet").click()


async def test_the_process_of_the_marketplace_sees_no_result(
    origins: Origins, offered: tuple[Asset, Asset], pages: Pages, wallet: Wallet
) -> None:
    pages.allow(UNKNOWN_PUBLICATION)
    page = await pages.open()
    await page.goto(f"{origins.market}/run?on={offered[1].did}")
    await choose_wallet(page, wallet)
    mark = (await choose_script(page)).removeprefix("hello ")
    await page.get_by_role("button", name=BUY).click()
    await ids(page)
    await expect(page.get_by_text("Settled on chain.")).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text("checks hold")).to_be_visible(timeout=SLOW)
    before = len(origins.asked)
    await page.get_by_role("button", name="Show out.txt").click()
    await expect(page.frame_locator("iframe").get_by_text(mark)).to_be_visible(timeout=SLOW)
    for name in ("Download out.txt", "Download all"):
        async with page.expect_download() as saving:
            await page.get_by_role("button", name=name).click()
        assert mark.encode() in (await (await saving.value).path()).read_bytes()
    # A preview has the style of the page, and nothing else of this server.
    assert [piece for piece in origins.asked[before:] if not piece.startswith(b"GET /static/style-")] == []
    everything = b"".join(origins.asked)
    assert b"GET /executions/" in everything, "the relay is in the way"
    for secret in (mark, "out.txt", "uthorization", wallet.address, wallet.address.lower()):
        assert secret.encode() not in everything, secret


async def test_a_page_may_call_the_named_gateways_and_those_of_the_documents_it_shows(
    origins: Origins, offered: tuple[Asset, Asset]
) -> None:
    first, second = offered
    async with httpx.AsyncClient() as http:
        for path in ("/", f"/assets/{second.did}", f"/run?on={first.did}", f"/run?on={second.did}", "/agreements"):
            assert may_call(await http.get(origins.market + path)) == origins.named, path
        # This one names the first alone, so the second is called only where its document is shown to run.
        for path in ("/", "/agreements", f"/run?on={first.did}"):
            assert may_call(await http.get(origins.unnamed + path)) == {origins.first.url}, path
        assert may_call(await http.get(f"{origins.unnamed}/run?on={second.did}")) == origins.named
        status = (await http.get(f"{origins.market}/status")).text
    assert "Every part answers." in status
    assert all(gateway in status for gateway in origins.named)


async def test_a_gateway_refuses_pages_that_its_settings_do_not_name_in_words(
    origins: Origins, offered: tuple[Asset, Asset], pages: Pages, wallet: Wallet
) -> None:
    pages.allow(UNKNOWN_PUBLICATION)
    pages.allow("status of 403")
    page = await pages.open()
    for asset in offered:
        await page.goto(f"{origins.unnamed}/run?on={asset.did}")
        await choose_wallet(page, wallet)
        await choose_script(page)
        await page.get_by_role("button", name=BUY).click()
        await expect(page.get_by_text("OriginNotAllowed")).to_be_visible(timeout=SLOW)
        await expect(page.get_by_text("gateway.marketplaces").first).to_be_visible()
    assert set(wallet.counted) <= {"connect", "text"}, "nothing was bought"
