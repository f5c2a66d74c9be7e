"""Whatever file somebody drops into the page of receipts gets an answer, and nothing leaves the browser."""

import pytest
from playwright.async_api import Page, expect

from insitu.testing.provider import ProviderProcess

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

DEEP = b"[" * 200_000

HOSTILE = {
    "empty": (b"", "The file is empty."),
    "not text": (b"\x89PNG\r\n\x1a\n\xff\xfe", "The file is not text."),
    "not JSON": (b"hello", "It is not a receipt: the text is not JSON."),
    "deep": (DEEP + b"]" * 200_000, "It is not a receipt"),
    "deep and not ended": (DEEP, "It is not a receipt"),
    "two members of one name": (b'{"payload": 1, "payload": 2}', "It is not a receipt"),
    "something else": (b'{"name": "<img src=x onerror=alert(1)>"}', "It does not hold: this is not a DSSE envelope."),
    "null": (b"null", "It does not hold"),
    "large": (b" " * (9 * 1024 * 1024), "The file is too large for a receipt"),
}


def chosen(content: bytes) -> dict[str, object]:
    return {"name": "receipt.json", "mimeType": "application/json", "buffer": content}


async def test_every_file_gets_a_sentence(page: Page, provider: ProviderProcess) -> None:
    await page.goto(f"{provider.url}/receipts")
    for content, sentence in HOSTILE.values():
        await page.locator("#receipt-file").set_input_files(chosen(content))
        await expect(page.get_by_role("alert")).to_contain_text(sentence)


async def test_nothing_is_asked_for_while_a_receipt_is_checked(page: Page, provider: ProviderProcess) -> None:
    await page.goto(f"{provider.url}/receipts")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.context.set_offline(True)
    await page.locator("#receipt-file").set_input_files(chosen(b"{}"))
    await expect(page.get_by_role("alert")).to_be_visible()
    assert asked == []
