"""Chromium, and pages that may not complain: no console error, no uncaught error, no violation of their policy."""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.parts import programme

if TYPE_CHECKING:
    from tests.browser.wallet import Wallet

Settings = dict[str, Any]
"""Options of a browser context, as Playwright names them, and `media`."""

PHONE: Settings = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
ZOOMED: Settings = {"viewport": {"width": 320, "height": 256}}
"""What 1280 × 1024 is at 400 % (WCAG 1.4.10)."""
DARK: Settings = {"color_scheme": "dark"}
STILL: Settings = {"reduced_motion": "reduce"}
NO_JAVASCRIPT: Settings = {"java_script_enabled": False}
PRINT: Settings = {"media": "print"}

# The console also says which policies were violated, but only the event names the directive and the sample.
_WATCH = """
document.addEventListener('securitypolicyviolation', event => console.error(
  `securitypolicyviolation: ${event.effectiveDirective} blocked ${event.blockedURI} ${event.sample}`,
  `${event.sourceFile}:${event.lineNumber}`))
"""


@asynccontextmanager
async def running_chromium() -> AsyncIterator[Browser]:
    """Start Debian's Chromium. Its own sandbox does not work as root."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=programme("chromium"), args=arguments)
        try:
            yield browser
        finally:
            await browser.close()


async def until(page: Page, expression: str, seconds: float = 30) -> None:
    """Wait until an expression is true in a page.

    Playwright's own ``wait_for_function`` asks again by eval, which the policies of pages forbid.
    """
    with anyio.fail_after(seconds):
        while not await page.evaluate(expression):  # noqa: ASYNC110 - the page has no event to wait for
            await anyio.sleep(0.02)


class Pages:
    """Opens the pages of one test, and keeps what they complain about."""

    def __init__(self, browser: Browser) -> None:
        self.complaints: list[str] = []
        self._browser = browser
        self._allowed: list[re.Pattern[str]] = []
        self._contexts: list[BrowserContext] = []
        self._wallets: list[Wallet] = []

    async def open(self, *settings: Settings) -> Page:
        """Return an empty page in a window of its own, with nothing stored: ``await pages.open(PHONE, DARK)``."""
        chosen = {name: value for some in settings for name, value in some.items()}
        media = chosen.pop("media", None)
        context = await self._browser.new_context(**chosen)
        self._contexts.append(context)
        context.on("console", lambda message: message.type == "error" and self._complain(message.text, message.page))
        context.on("weberror", lambda error: self._complain(f"uncaught {error.error}", error.page))
        await context.add_init_script(_WATCH)
        for wallet in self._wallets:
            await wallet.install(context)
        page = await context.new_page()
        if media is not None:
            await page.emulate_media(media=media)
        return page

    async def install(self, wallet: "Wallet") -> None:
        """Give every page a wallet, at once those that load their next document."""
        self._wallets.append(wallet)
        for context in self._contexts:
            await wallet.install(context)

    def allow(self, pattern: str) -> None:
        """Accept complaints in which this regular expression is found."""
        self._allowed.append(re.compile(pattern))

    async def close(self) -> None:
        """Close all pages, and fail with what they complained about."""
        for context in self._contexts:
            for page in context.pages:
                # What the page said before has arrived when this is answered.
                await page.evaluate("0") if not page.is_closed() else None
            await context.close()
        bad = [text for text in self.complaints if not any(pattern.search(text) for pattern in self._allowed)]
        assert not bad, "pages complained:\n" + "\n".join(bad)

    def _complain(self, text: str, page: Page | None) -> None:
        self.complaints.append(f"{page.url if page else ''}: {text}")
