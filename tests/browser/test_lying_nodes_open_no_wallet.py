"""Whatever the node behind a wallet says of contracts, registry and balances, the wallet is asked for nothing."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import expect

from insitu.domain.canonical import keccak256
from tests.browser.chromium import Pages
from tests.browser.personal import SLOW
from tests.browser.running import BUY
from tests.browser.test_lying_servers_open_no_wallet import OTHER, open_workflow
from tests.browser.wallet import Wallet
from tests.market import UNPAID, Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

Lie = Callable[[str, list[Any], Any], Any]

WORD_1, WORD_0 = "0x" + f"{1:064x}", "0x" + "0" * 64


def code_of(contract: str, code: str = "0x6000") -> Lie:
    """Say that there is other code at an address."""

    def lie(method: str, parameters: list[Any], answer: Any) -> Any:
        return code if method == "eth_getCode" and parameters[0].lower() == contract.lower() else answer

    return lie


def view(signature: str, change: Callable[[str], Any]) -> Lie:
    """Answer a view of a contract with something else."""
    selector = "0x" + keccak256(signature.encode())[:4].hex()

    def lie(method: str, parameters: list[Any], answer: Any) -> Any:
        return change(answer) if method == "eth_call" and parameters[0]["data"].startswith(selector) else answer

    return lie


def other_checksum(method: str, parameters: list[Any], answer: Any) -> Any:
    """Name another document in the registry's record, and in its events so that both agree."""
    other = "77" * 32
    registered = view("getDIDRegister(bytes32)", lambda told: told[: 2 + 4 * 64] + other + told[2 + 5 * 64 :])
    if method == "eth_getLogs":
        return [log | {"topics": [*log["topics"][:3], "0x" + other]} for log in answer if len(log["topics"]) > 3]
    return registered(method, parameters, answer)


def nothing(method: str, _: list[Any], answer: Any) -> Any:
    """Answer every question about contracts with nothing."""
    return "0x" if method in {"eth_call", "eth_getCode"} else answer


def markup(method: str, _: list[Any], answer: Any) -> Any:
    """Answer with a text of another kind."""
    return "<img src=x onerror=alert(1)>" if method == "eth_call" else answer


def lies(market: Market) -> dict[str, tuple[Lie, str]]:
    """What a node may say, and the code of what the page says then."""
    registry, template = str(market.contracts["registry"]), str(market.contracts["template"])
    delegate = "0x" + OTHER[2:].rjust(64, "0")
    return {
        "code of the registry": (code_of(registry), "ContractMismatch"),
        "code of the template": (code_of(template), "ContractMismatch"),
        "no template": (code_of(template, "0x"), "ContractMismatch"),
        "another registry": (view("didRegistry()", lambda _: delegate), "ContractMismatch"),
        "another token": (view("token()", lambda _: delegate), "ContractMismatch"),
        "not approved": (view("isTemplateApproved(address)", lambda _: WORD_0), "TemplateNotApproved"),
        "checksum": (other_checksum, "ChecksumMismatch|AssetNotFound"),
        "not registered": (view("getDIDRegister(bytes32)", lambda told: "0x" + "0" * (len(told) - 2)), "AssetNotFound"),
        "not a provider": (view("isDIDProvider(bytes32,address)", lambda _: WORD_0), "NotDIDProvider"),
        "a poor account": (view("balanceOf(address)", lambda _: WORD_1), ""),
        "nothing": (nothing, "ChainUnavailable|ContractMismatch"),
        "markup": (markup, "ChainUnavailable"),
    }  # fmt: skip


@pytest.mark.timeout(600)
async def test_every_lie_of_a_node_is_met_with_words_and_without_a_prompt(
    pages: Pages, make_wallet: Callable[..., Wallet], market: Market
) -> None:
    pages.allow("Failed to load resource|status of 4")
    workflow, before = await market.workflow(), await market.balances()
    wrong = []
    for name, (lie, code) in lies(market).items():
        page, wallet = await pages.open(), make_wallet()
        await wallet.install(page.context)
        wallet.lie = lie
        await open_workflow(page, market.provider.url, workflow.did)
        buy = page.get_by_role("button", name=BUY)
        note = page.get_by_role("alert").filter(has=page.locator("code", has_text=re.compile(code)))
        if not code:
            note = page.get_by_text("Get the missing tokens to this address")
        try:
            await expect(buy.or_(note).first).to_be_visible(timeout=SLOW)
            if await buy.count():
                await buy.click()
            await expect(note.first).to_be_visible(timeout=20_000)
            if code:
                assert await note.first.locator("p").count() >= 3, "what happened, what to do next, and the code"
                wallet.lie = lambda _method, _parameters, answer: answer
                again = page.get_by_role("button", name=re.compile("^(Try again|Ask again)$"))
                await expect(buy.or_(again).first).to_be_visible(timeout=SLOW)
                if await again.count():
                    await again.click()
                await expect(buy).to_be_visible(timeout=SLOW)
        except AssertionError as error:
            wrong.append(f"{name}: {error}\n{await page.locator('main').inner_text()}")
        if set(wallet.counted) != {"connect"}:
            wrong.append(f"{name}: the wallet was asked {wallet.counted}")
        await page.context.close()
    assert not wrong, "\n\n".join(wrong)
    assert await market.changes(before) == UNPAID
