"""What the other tests of pages rely on: no complaint of a page is lost, and a wallet does what it is told."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Browser, Error, Page

from tests.browser.chromium import DARK, NO_JAVASCRIPT, PHONE, PRINT, STILL, Pages, until
from tests.browser.sites import Site
from tests.browser.wallet import Wallet

pytestmark = [pytest.mark.needs("chromium", "node", "docs"), pytest.mark.slow]

COMPLAINTS = {
    "console": ("console.error('so it says')", "so it says"),
    "uncaught": ("throw new Error('nobody caught it')", "nobody caught it"),
    "rejection": ("Promise.reject(new Error('nobody waited for it'))", "nobody waited for it"),
    "policy": (
        "try { document.body.innerHTML = '<p>' } catch {}",
        "securitypolicyviolation: require-trusted-types-for",
    ),
    "style": ("document.body.setAttribute('style', 'color: red')", "securitypolicyviolation: style-src-attr"),
    "missing": ("fetch('/nothing').catch(() => undefined)", "404"),
}


@pytest.mark.parametrize(("script", "said"), COMPLAINTS.values(), ids=COMPLAINTS)
async def test_a_complaint_fails_the_test_unless_it_is_allowed(
    browser: Browser, site: Site, script: str, said: str
) -> None:
    strict, lenient = Pages(browser), Pages(browser)
    lenient.allow("")
    for pages in (strict, lenient):
        page = await pages.open()
        await page.goto(site.page("complaining", script), wait_until="networkidle")
    with pytest.raises(AssertionError, match=said):
        await strict.close()
    await lenient.close()


async def test_pages_have_the_settings_that_were_asked_for(pages: Pages, site: Site) -> None:
    address = site.page("settings", "document.title = 'script'")
    plain = await pages.open(NO_JAVASCRIPT)
    await plain.goto(address)
    assert await plain.title() == "A page"
    other = await pages.open(PHONE, DARK, STILL, PRINT)
    await other.goto(address)
    assert await other.title() == "script"
    for media in ("(prefers-color-scheme: dark)", "(prefers-reduced-motion)", "print", "(max-width: 360px)"):
        assert await other.evaluate("media => matchMedia(media).matches", media), media


async def test_axe_finds_what_is_not_accessible(page: Page, site: Site, axe: Callable[[Page], Awaitable[None]]) -> None:
    await page.goto(site.page("accessible", "", "<button>Run</button>"))
    await axe(page)
    await page.goto(site.page("inaccessible", "", "<button></button>"))
    with pytest.raises(AssertionError, match="button-name"):
        await axe(page)


ASKING = """
const told = window.told = { wallets: [], accounts: [], chains: [] }
window.addEventListener('eip6963:announceProvider', ({ detail: { info, provider } }) => {
  told.wallets.push(info.name)
  provider.on('accountsChanged', accounts => told.accounts.push(accounts))
  provider.on('chainChanged', chain => told.chains.push(chain))
  window.ask = (method, ...params) => provider.request({ method, params }).catch(({ code }) => code)
})
window.dispatchEvent(new Event('eip6963:requestProvider'))
"""


async def test_a_wallet_connects_changes_and_refuses_as_it_is_told(page: Page, pages: Pages, site: Site) -> None:
    wallet = Wallet("http://127.0.0.1:9", 31337)
    await pages.install(wallet)
    await page.goto(site.page("asking", ASKING))
    sign = ("personal_sign", "0x61", wallet.address)

    async def ask(*words: object) -> object:
        return await page.evaluate("words => ask(...words)", words)

    assert [await ask("eth_accounts"), await ask(*sign)] == [[], 4100]
    wallet.refuse()
    assert await ask("eth_requestAccounts") == 4001
    assert await ask("eth_requestAccounts") == await ask("eth_accounts") == [wallet.address.lower()]
    wallet.refuse("text", code=4900)
    assert [await ask(*sign), len(str(await ask(*sign)))] == [4900, 132]
    await wallet.change_account("owner")
    await wallet.change_chain(1)
    assert await ask(*sign) == 4100, "the account of before is no longer offered"
    assert (await ask("eth_chainId"), await ask("eth_call", {}, "latest")) == ("0x1", "0x")
    assert await ask("wallet_switchEthereumChain", {"chainId": "0x7a69"}) is None
    wallet.forget_chain()
    assert await ask("wallet_switchEthereumChain", {"chainId": "0x7a69"}) == 4902
    assert await ask("wallet_addEthereumChain", {"chainId": "0x7a69"}) is None
    assert await page.evaluate("told") == {
        "wallets": ["Test wallet"],
        "accounts": [[wallet.address.lower()]],
        "chains": ["0x1", "0x7a69", "0x7a69"],
    }
    assert wallet.counted == {"connect": 2, "text": 2, "switch chain": 1, "add chain": 1}


async def test_a_prompt_stays_open_while_the_person_is_away(page: Page, pages: Pages, site: Site) -> None:
    wallet = Wallet("http://127.0.0.1:9", 31337)
    await pages.install(wallet)
    await page.goto(site.page("asking", ASKING))
    wallet.hold()
    await page.evaluate("void ask('eth_requestAccounts').then(found => { told.found = found })")
    assert (await wallet.asked()).shows == "connect"
    assert await page.evaluate("told.found ?? null") is None
    wallet.let_go()
    await until(page, "told.found")


async def test_a_closed_page_is_no_complaint(pages: Pages, site: Site) -> None:
    page = await pages.open()
    await page.goto(site.page("closed", ""))
    await page.close()
    with pytest.raises(Error):
        await page.title()
