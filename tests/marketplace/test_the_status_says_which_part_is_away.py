"""The status page answers although others do not, and does not ask them for every visitor."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from insitu.api.budgets_v1 import Budget, Budgets
from insitu.domain.errors import InsituError
from insitu.marketplace import status
from insitu.marketplace.catalogue import Catalogue
from insitu.marketplace.service import Marketplace
from insitu.marketplace.site import Site
from insitu.marketplace.status import PATIENCE, StatusReader
from tests.doubles.catalogue import CATALOGUE, GATEWAY, MOMENT, CatalogueDouble, GatewaysDouble

OTHER = "http://other.test"


def reader(catalogue: CatalogueDouble, gateways: GatewaysDouble, **options: Any) -> StatusReader:
    site = Site(origin="http://market.test", catalogue=CATALOGUE, gateways=(GATEWAY, OTHER), version="0")
    return StatusReader(site, Catalogue(catalogue, CATALOGUE), gateways, deadline=0.05, **options)


async def test_everything_answers(browser: httpx.AsyncClient, catalogue: CatalogueDouble) -> None:
    catalogue.pending = 3
    page = (await browser.get("/status")).text
    assert "Every part answers." in page
    assert "block 214, 0 behind" in page
    assert "3 documents wait" in page


async def test_a_catalogue_that_is_behind_says_by_how_much(
    browser: httpx.AsyncClient, catalogue: CatalogueDouble
) -> None:
    catalogue.block = 4
    page = (await browser.get("/status")).text
    assert "The catalogue has 210 blocks to read." in page


async def test_a_catalogue_that_is_away_leaves_the_page(browser: httpx.AsyncClient, catalogue: CatalogueDouble) -> None:
    catalogue.error = InsituError("PeerUnavailable", "away")
    answer = await browser.get("/status")
    assert answer.status_code == 200
    assert "Unreachable" in answer.text
    assert "metadata.url" in answer.text


@pytest.mark.parametrize("way", ["silent", "slow"])
async def test_a_gateway_that_is_away_or_slow_does_not_hide_the_others(
    way: str, catalogue: CatalogueDouble, gateways: GatewaysDouble
) -> None:
    getattr(gateways, way).add(GATEWAY)
    seen = await reader(catalogue, gateways).read()
    assert seen.catalogue is not None
    assert [gateway.info is not None for gateway in seen.gateways] == [False, True]
    assert not seen.is_well


async def test_visitors_cannot_make_it_ask_as_often_as_they_like(
    marketplace: Marketplace, catalogue: CatalogueDouble
) -> None:
    for _ in range(5):
        await marketplace.status.read()
    assert catalogue.asked.count("health") == 1


async def test_what_is_away_becomes_a_problem_after_a_while_and_is_forgotten_once_it_is_back(
    catalogue: CatalogueDouble, gateways: GatewaysDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "FRESH", -1)
    times = {"now": MOMENT}
    asked = reader(catalogue, gateways, now=lambda: times["now"])
    gateways.silent.add(GATEWAY)
    catalogue.block = 4
    first = await asked.read()
    gateway = first.gateways[0]
    assert (gateway.standing.word, gateway.standing.since, gateway.standing.problem) == ("Unreachable", MOMENT, False)
    assert gateway.standing.deadline == MOMENT + PATIENCE
    assert gateway.why == "it cannot be asked (PeerUnavailable)", "and nothing of what is inside"
    assert (first.reading.word, first.reading.problem) == ("Behind", False)

    times["now"] = MOMENT + PATIENCE
    later = await asked.read()
    assert (later.gateways[0].standing.since, later.gateways[0].standing.problem) == (MOMENT, True)
    assert later.reading.problem
    gateways.silent.clear()
    catalogue.block = 214
    assert (await asked.read()).is_well
    gateways.silent.add(GATEWAY)
    assert (await asked.read()).gateways[0].standing.since == MOMENT + PATIENCE


async def test_a_publication_that_waits_for_long_is_a_problem(
    catalogue: CatalogueDouble, gateways: GatewaysDouble, browser: httpx.AsyncClient
) -> None:
    catalogue.pending, catalogue.oldest_pending = 2, MOMENT
    for waited, word in ((timedelta(minutes=9), "Good"), (PATIENCE, "Behind")):
        seen = await reader(catalogue, gateways, now=lambda waited=waited: MOMENT + waited).read()
        assert seen.waiting.word == word
        assert seen.is_well == (word == "Good")
    page = (await browser.get("/status")).text
    assert "The oldest waits since" in page
    assert "3 Nov 2026, 09:30 UTC" in page


async def test_a_budget_that_is_used_up_says_until_when_and_what_its_operator_does(
    browser: httpx.AsyncClient, gateways: GatewaysDouble
) -> None:
    step = "raise gateway.relay_budget <b>now</b>"
    used_up = Budget(of="relayedGas", stands="usedUp", until=MOMENT, next_step=step)
    gateways.budgets_of_all = (used_up, Budget(of="freeCompute", stands="enough"))
    page = (await browser.get("/status")).text
    assert "has used up a budget" in page
    assert "something is left again by" in page
    assert "3 Nov, 09:30 UTC" in page
    assert "raise gateway.relay_budget &lt;b&gt;now&lt;/b&gt;" in page, "what a gateway says is text"
    assert "new accounts start nothing" not in page, "of that there is enough"


async def test_a_gateway_that_says_nothing_of_its_budgets_is_no_problem(
    catalogue: CatalogueDouble, gateways: GatewaysDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(_: str) -> Budgets:
        raise InsituError("PeerUnavailable", "404")

    monkeypatch.setattr(gateways, "budgets", unknown)
    seen = await reader(catalogue, gateways).read()
    assert seen.is_well
    assert [(gateway.block, gateway.budgets) for gateway in seen.gateways] == [(214, ()), (214, ())]


async def test_a_gateway_that_keeps_its_chain_to_itself_still_says_how_its_budgets_stand(
    catalogue: CatalogueDouble, gateways: GatewaysDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def kept(_: str) -> int:
        raise InsituError("ReadNotAllowed", "no")

    monkeypatch.setattr(gateways, "block", kept)
    gateways.budgets_of_all = (Budget(of="freeGas", stands="low"),)
    seen = await reader(catalogue, gateways).read()
    assert seen.is_well, "low is no problem yet"
    assert [gateway.budgets for gateway in seen.gateways] == [gateways.budgets_of_all] * 2
