"""A browser, its pages and its wallet, and the provider that they talk to."""

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from playwright.async_api import Browser, Page

from insitu.adapters.keys.dev import dev_signer
from insitu.ports.keys import Signer
from insitu.testing.provider import ProviderProcess
from tests.browser.axe import assert_accessible
from tests.browser.chromium import Pages, running_chromium
from tests.browser.sites import Site, running_site
from tests.browser.wallet import Wallet
from tests.market import Market, open_market, open_provider


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for the tests of a file; each has windows of its own.

    It ends with the file: what its driver tells the event loop would otherwise fail tests that have no browser.
    """
    async with running_chromium() as running:
        yield running


@pytest.fixture
async def pages(browser: Browser) -> AsyncIterator[Pages]:
    """Opens pages; at the end none may have complained: ``await pages.open(PHONE, DARK)``, ``pages.allow("404")``."""
    opened = Pages(browser)
    yield opened
    await opened.close()


@pytest.fixture
async def page(pages: Pages) -> Page:
    """A page on a desk's screen."""
    return await pages.open()


@pytest.fixture(scope="session")
def site_port() -> int:
    """A free port, known before ``site`` runs."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory, site_port: int) -> Iterator[ProviderProcess]:
    """One ``insitu up`` for all tests that leave it as it is; prices are a few base units, and ``site`` may sign in.

    ``spare`` curates.
    """
    origins = json.dumps([f"http://127.0.0.1:{site_port}"])
    decide = {"gateway__marketplaces": origins, "metadata__curators": json.dumps([dev_signer("spare").address])}
    with open_provider(tmp_path_factory.mktemp("provider"), **decide) as running:
        yield running


@pytest.fixture
async def market(provider: ProviderProcess) -> AsyncIterator[Market]:
    """Everybody around it, each with their own key, as clients in Python."""
    async with open_market(provider) as people:
        yield people


@pytest.fixture
def make_wallet(provider: ProviderProcess) -> Callable[..., Wallet]:
    """Makes wallets at the provider's chain, to install in ``pages``: ``make_wallet("owner", name="Other wallet")``."""
    deployments = json.loads(provider.settings.deployments.read_text("utf-8"))

    def make(account: str | Signer = "consumer", **info: str) -> Wallet:
        return Wallet(deployments["rpcUrl"], int(deployments["chainId"]), account, **info)

    return make


@pytest.fixture
async def wallet(pages: Pages, make_wallet: Callable[..., Wallet]) -> Wallet:
    """The consumer's wallet, announced in every page of the test."""
    made = make_wallet()
    await pages.install(made)
    return made


@pytest.fixture
def axe() -> Callable[[Page], Awaitable[None]]:
    """Fails with what axe-core finds in a page: ``await axe(page)``."""
    return assert_accessible


@pytest.fixture(scope="session")
def site(site_port: int) -> Iterator[Site]:
    """A web server for pages that tests write; they import the SDK by name."""
    with running_site(site_port) as running:
        yield running
