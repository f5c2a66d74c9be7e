"""Wallets of a page: found once each, asked for the right chain, and believed only while account and chain stay."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from insitu.testing.provider import ProviderProcess
from tests.browser.chromium import Pages, until
from tests.browser.sites import Site
from tests.browser.wallet import CHAIN_DISCONNECTED, DISCONNECTED, ICON, UNAUTHORIZED, UNKNOWN_CHAIN, Wallet
from tests.market import UNPAID, Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

SCRIPT = (Path(__file__).parent / "scripts" / "connecting.js").read_text("utf-8")

Make = Callable[..., Wallet]

HOSTILE_INFOS = [
    "undefined", "null", "{ info: null, provider }", "{ info: { uuid: 'a' } }", "{ info: { uuid: '' }, provider }",
    "{ info: { uuid: 'b'.repeat(101) }, provider }", "{ info: { uuid: {} }, provider }",
    "{ get info() { throw new Error('no') }, provider }",
]  # fmt: skip
ICONS = {
    "https://tracker.example/icon.png": "",
    "javascript:alert(1)": "",
    "data:text/html,<script>alert(1)</script>": "",
    "data:image/png;base64,AAAA": "data:image/png;base64,AAAA",
    ICON: ICON,
    "": "",
}


async def announce(page: Page, details: list[str]) -> None:
    """Let scripts of the page announce wallets whenever they are asked."""
    script = f"""
    const provider = {{ request: async () => {{}} }}
    window.addEventListener('eip6963:requestProvider', () => {{
      for (const detail of [{", ".join(f"() => ({detail})" for detail in details)}])
        window.dispatchEvent(new CustomEvent('eip6963:announceProvider', {{ detail: detail() }}))
    }})"""
    await page.add_init_script(f"(() => {{{script}}})()")


def info(**members: Any) -> str:
    """A wallet in JavaScript."""
    return f"{{ info: {json.dumps({'name': 'Other', 'icon': '', 'rdns': 'other.test', **members})}, provider }}"


def query_of(market: Market, workflow: str) -> str:
    """What the page has to know: gateway, workflow, and the contracts that it trusts."""
    chain = market.consumer.chain
    registry, template = chain.contract("DIDRegistry"), chain.contract("ServiceExecutionTemplate")
    contracts = f"{chain.agreements.chain_id},{registry},{template}"
    return f"gateway={market.provider.url}&workflow={workflow}&contracts={contracts}"


async def test_wallets_with_the_same_name_are_two_and_with_the_same_uuid_one(
    page: Page, pages: Pages, site: Site, make_wallet: Make
) -> None:
    for wallet in (make_wallet(uuid="one"), make_wallet(uuid="two"), make_wallet(uuid="one", name="Takes its place")):
        await pages.install(wallet)
    await page.goto(site.page("connecting", SCRIPT))
    found = await page.evaluate("wallets()")
    assert [(wallet["uuid"], wallet["name"]) for wallet in found] == [("one", "Test wallet"), ("two", "Test wallet")]


async def test_what_a_wallet_says_of_itself_is_a_strangers_text(page: Page, site: Site) -> None:
    names = {
        "Meta\u200bMask": "Meta\ufffdMask",
        "\u202egnp": "\ufffdgnp",
        " ": "A wallet without a name",
        "a" * 99: "a" * 60,
    }
    told = [info(uuid=f"icon {at}", icon=icon) for at, icon in enumerate(ICONS)]
    told += [info(uuid=f"name {at}", name=name) for at, name in enumerate(names)]
    await announce(page, [*HOSTILE_INFOS, *told, info(uuid="odd", name=7, icon=7, rdns=7)])
    await page.goto(site.page("connecting", SCRIPT))
    found = {wallet["uuid"]: wallet for wallet in await page.evaluate("wallets()")}
    assert set(found) == {*(f"icon {at}" for at in range(6)), *(f"name {at}" for at in range(4)), "odd"}
    assert [found[f"icon {at}"]["icon"] for at in range(6)] == list(ICONS.values())
    assert [found[f"name {at}"]["name"] for at in range(4)] == list(names.values())
    assert found["odd"] == {"uuid": "odd", "name": "A wallet without a name", "icon": "", "rdns": ""}


async def test_a_script_that_announces_without_end_fills_no_memory(page: Page, site: Site) -> None:
    await announce(page, [info(uuid=str(at)) for at in range(200)])
    await page.goto(site.page("connecting", SCRIPT))
    assert len(await page.evaluate("wallets()")) == 50


async def test_a_chooser_that_is_opened_again_still_has_the_wallets(
    page: Page, wallet: Wallet, provider: ProviderProcess
) -> None:
    await page.goto(f"{provider.url}/agreements")
    for _ in range(2):
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("button", name=wallet.info["name"])).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("button", name="Sign in")).to_be_focused()


async def test_a_wallet_is_asked_to_change_its_chain_and_to_add_it(page: Page, wallet: Wallet, site: Site) -> None:
    await page.goto(site.page("connecting", SCRIPT))
    await page.evaluate("connect()")
    home = wallet.chain_id
    assert await page.evaluate("id => use({ chainId: id })", home) == "there"
    await wallet.change_chain(1)
    assert await page.evaluate("id => use({ chainId: id })", home) == "there"
    assert (wallet.chain_id, wallet.counted) == (home, {"connect": 1, "switch chain": 1})
    wallet.forget_chain()
    assert await page.evaluate("id => use({ chainId: id })", home) == "WrongChain", "without a node it cannot be added"
    wallet.refuse("add chain")
    with_node = "id => use({ chainId: id, rpcUrls: ['http://127.0.0.1:8545'] })"
    assert await page.evaluate(with_node, home) == "RejectedByUser"
    assert await page.evaluate(with_node, home) == "there"
    added = wallet.prompts[-1].parameters[0]
    assert (added["chainId"], added["rpcUrls"]) == (hex(home), ["http://127.0.0.1:8545"])


async def test_what_a_wallet_answers_has_a_name(page: Page, wallet: Wallet, site: Site) -> None:
    await page.goto(site.page("connecting", SCRIPT))
    wallet.refuse()
    assert await page.evaluate("connect()") == "RejectedByUser"
    assert (await page.evaluate("connect()")).lower() == wallet.address.lower()
    codes = {
        UNAUTHORIZED: "AccountChanged",
        DISCONNECTED: "WalletUnavailable",
        CHAIN_DISCONNECTED: "WrongChain",
        UNKNOWN_CHAIN: "WrongChain",
        -32002: "WalletUnavailable",
    }
    for code, name in codes.items():
        wallet.refuse("text", code)
        assert await page.evaluate("sign()") == name
    assert await page.evaluate("sign()") == 65


@pytest.mark.parametrize("change", ["account", "chain"])
async def test_a_purchase_ends_when_the_wallet_goes_elsewhere_and_nothing_is_bought(
    page: Page, wallet: Wallet, site: Site, market: Market, change: str
) -> None:
    workflow, before = await market.workflow(), await market.balances()
    await page.goto(site.page("connecting", SCRIPT) + f"?{query_of(market, workflow.did)}")
    await page.evaluate("connect()")
    wallet.hold()
    await page.evaluate("buy()")
    assert (await wallet.asked()).shows == "Permit"
    await (wallet.change_account("owner") if change == "account" else wallet.change_chain(1))
    await until(page, "told.outcome")
    wallet.let_go()
    wanted = "AccountChanged" if change == "account" else "WrongChain"
    assert await page.evaluate("told.outcome") == wanted
    assert wallet.counted == {"connect": 1, "Permit": 1}, "no second prompt"
    await page.evaluate("Object.assign(told, { outcome: undefined }), buy()")
    await until(page, "told.outcome")
    assert await page.evaluate("told.outcome") == wanted, "without a prompt, because the wallet is elsewhere"
    assert wallet.counted == {"connect": 1, "Permit": 1}
    assert await market.changes(before) == UNPAID
