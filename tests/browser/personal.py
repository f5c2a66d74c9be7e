"""What tests of personal pages do first: sign in, as a person does."""

import re

from playwright.async_api import Page, expect

SLOW = 60_000
"""Milliseconds for what a provider, its chain and a container do."""


async def sign_in(page: Page, url: str) -> None:
    """Open a personal page, and sign in with the wallet of the test."""
    await page.goto(url, timeout=SLOW)
    await page.get_by_role("button", name="Sign in").click(timeout=SLOW)
    await page.get_by_role("button", name="Use Test wallet").click(timeout=SLOW)
    await expect(page.get_by_role("button", name="Sign in")).to_have_count(0, timeout=SLOW)


async def ids(page: Page) -> tuple[str, str]:
    """Wait for the page of an execution, and return its two ids."""
    await page.wait_for_url(re.compile("/executions/[0-9a-f]{64}/wx"), timeout=SLOW)
    agreement, execution = page.url.partition("#")[0].split("/")[-2:]
    return agreement, execution
