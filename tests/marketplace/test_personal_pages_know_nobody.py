"""Pages about one account are the same for everybody: an element in them does everything after the sign-in."""

import httpx
import pytest

from tests.doubles.catalogue import CATALOGUE, GATEWAY

AGREEMENT = "05" * 32
EXECUTION = "wx" + "a" * 26
PAGES = ["/agreements", f"/agreements/{AGREEMENT}", "/desk", "/executions", f"/executions/{AGREEMENT}/{EXECUTION}"]


def policy(answer: httpx.Response) -> dict[str, str]:
    rules = answer.headers["Content-Security-Policy"].split("; ")
    return dict(rule.split(" ", 1) for rule in rules)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_calls_the_gateways_of_the_settings_and_says_what_it_needs(
    browser: httpx.AsyncClient, path: str
) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 200
    assert set(policy(answer)["connect-src"].split()) == {"'self'", CATALOGUE, GATEWAY}
    assert "needs JavaScript" in answer.text
    assert "insitu " in answer.text


async def test_only_the_page_of_an_execution_may_show_frames_and_only_its_own(browser: httpx.AsyncClient) -> None:
    frames = {path: policy(await browser.get(path))["frame-src"] for path in PAGES}
    assert frames == {**dict.fromkeys(PAGES, "'none'"), PAGES[-1]: "blob:"}


async def test_the_page_of_receipts_can_call_nobody(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/receipts")
    assert policy(answer)["connect-src"] == "'none'"
    assert "insitu-account" not in answer.text


async def test_an_element_is_told_its_ids_as_they_are_written(browser: httpx.AsyncClient) -> None:
    answer = await browser.get(f"/executions/0x{AGREEMENT.upper()}/{EXECUTION}")
    assert f'<insitu-execution class="page" agreement="{AGREEMENT}" execution="{EXECUTION}">' in answer.text


@pytest.mark.parametrize("path", ["/agreements/12", f"/executions/{AGREEMENT}/wx1", "/executions/x/y"])
async def test_what_is_not_an_id_is_an_error_page(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 400
    assert "InvalidId" in answer.text
