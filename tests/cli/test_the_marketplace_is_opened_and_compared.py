"""`insitu open` prints the address, also without a browser; `insitu marketplace verify` ends with what it found."""

import json
import webbrowser

import pytest

import insitu.marketplace.verifying
from insitu.domain.errors import InsituError
from insitu.domain.exit_codes import INVALID, OK, TRY_AGAIN
from insitu.marketplace.verifying import Verification
from tests.cli.conftest import DID, Call

HERE = "http://127.0.0.1:8030"


def test_open_prints_the_address_that_it_opens(trace: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert Call(trace, capsys, "open").shown.startswith(f"{HERE}/\n")
    opened = Call(trace, capsys, "open", DID, "--url", "https://market.test/")
    assert opened.shown.startswith(f"https://market.test/assets/{DID}\n")
    assert f"browser(https://market.test/assets/{DID})" in opened.asked


@pytest.mark.parametrize("failing", [False, True])
def test_without_a_browser_it_says_so(
    failing: bool, trace: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_browser(_: str) -> bool:
        if failing:
            raise webbrowser.Error("could not locate runnable browser")
        return False

    monkeypatch.setattr(webbrowser, "open", no_browser)
    call = Call(trace, capsys, "open")
    assert call.code == OK
    assert "there is no browser here" in call.shown


def test_open_refuses_what_is_not_a_did(trace: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    call = Call(trace, capsys, "open", "did:nv:nothing")
    assert "InvalidDid" in call.shown
    assert not [asked for asked in call.asked if "browser" in asked]


@pytest.mark.parametrize("found", [Verification(["/"], ["a.js"], ["/help: it loads \x1b[2Jx"]), Verification()])
def test_a_marketplace_that_differs_ends_with_exit_code_3(
    found: Verification, trace: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def verified(*_: object) -> Verification:
        return found

    monkeypatch.setattr(insitu.marketplace.verifying, "verify_marketplace", verified)
    call = Call(trace, capsys, "marketplace", "verify", "https://market.test")
    assert call.code == INVALID
    assert "is not the marketplace of insitu" in call.shown
    assert "\x1b" not in call.shown
    as_json = Call(trace, capsys, "marketplace", "verify", "https://market.test", "--json")
    assert as_json.code == INVALID
    assert json.loads(as_json.shown)["holds"] is False


def test_a_good_answer_says_whom_the_scripts_may_call_and_what_was_not_read(
    trace: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def verified(*_: object) -> Verification:
        return Verification(["/"], ["a.js"], called={"https://gateway.test"}, unread=7)

    monkeypatch.setattr(insitu.marketplace.verifying, "verify_marketplace", verified)
    call = Call(trace, capsys, "marketplace", "verify", "https://market.test")
    assert call.code == OK
    assert "they may also call https://gateway.test" in call.shown
    assert "7 more pages that they link to were not read" in call.shown


def test_a_marketplace_that_is_away_is_no_verdict(
    trace: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> Verification:
        raise InsituError("PeerUnavailable", "market.test does not answer")

    monkeypatch.setattr(insitu.marketplace.verifying, "verify_marketplace", away)
    assert Call(trace, capsys, "marketplace", "verify", "https://market.test").code == TRY_AGAIN
