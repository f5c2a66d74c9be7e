"""The page of an asset: its state, its rules, its versions, where it comes from; with a fixed number of questions."""

import json
import re

import httpx
import pytest

from insitu.api.gateway_v1 import GatewayInfo
from insitu.api.metadata_v1 import AssetVersions
from insitu.domain.canonical import JsonObject
from insitu.domain.ddo import read_ddo
from insitu.domain.errors import InsituError
from insitu.domain.image_contents import ImageContents
from insitu.marketplace.provenance import MOST, graph_of
from insitu.marketplace.samples import CHECKSUM, OPEN, OWNER, STRICT, did, document, result, versions, workflow
from insitu.marketplace.service import Marketplace
from tests.doubles.catalogue import CATALOGUE, GATEWAY, CatalogueDouble, GatewaysDouble, summary

OLD = f"{1:064x}"


def add(catalogue: CatalogueDouble, found: JsonObject, state: str = "listed", **changes: object) -> str:
    number = str(found["id"])
    catalogue.add(summary(1, did=number, state=state, checksum=CHECKSUM, **changes), found)
    catalogue.history[number] = versions(1)
    return f"/assets/{number}"


def text(html: str) -> str:
    """What a person reads, without marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html)).strip()


async def test_a_data_set_shows_rules_price_and_use(browser: httpx.AsyncClient, catalogue: CatalogueDouble) -> None:
    found = text((await browser.get(add(catalogue, document(policy=STRICT)))).text)
    for words in (
        "Listed",
        "Algorithms of one publisher",
        "csv, png, txt and log files",
        "5 NVM + 2 server",
        "What it costs",
    ):
        assert words in found
    assert f"insitu run count.py --on {did(1)} -o out/" in found
    assert f'client.run("count.py", on="{did(1)}")'.replace('"', "&#34;") in found


async def test_what_leads_to_a_purchase_is_only_where_one_is_possible(
    browser: httpx.AsyncClient, catalogue: CatalogueDouble
) -> None:
    run = f'href="/run?on={did(1)}"'
    address = add(catalogue, document(policy=STRICT))
    assert run in (await browser.get(address)).text
    for state in ("pending", "retired"):
        address = add(catalogue, document(policy=STRICT), state)
        assert run not in (await browser.get(address)).text
    assert "insitu run" not in (await browser.get(address)).text
    for state in ("hidden", "unlisted"):
        address = add(catalogue, document(policy=STRICT), state, reason="It has names.")
        assert run in (await browser.get(address)).text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("pending", "Waiting for the chain."),
        ("retired", "no longer sold"),
        ("hidden", "for this reason: It has names."),
        ("unlisted", "It can be used by its DID."),
    ],
)
async def test_a_state_says_what_follows_from_it(
    browser: httpx.AsyncClient, catalogue: CatalogueDouble, state: str, words: str
) -> None:
    address = add(catalogue, document(policy=STRICT), state, reason="It has names.")
    assert words in text((await browser.get(address)).text)


async def test_a_retired_data_set_leads_to_its_successor(
    browser: httpx.AsyncClient, catalogue: CatalogueDouble
) -> None:
    add(catalogue, document(number=3, policy=OPEN), name="Ward stays")
    retired = document(policy=STRICT)
    retired["service"][0]["attributes"]["additionalInformation"]["successor"] = did(3)
    answer = await browser.get(add(catalogue, retired, "retired"))
    assert f'successor: <a href="/assets/{did(3)}">Ward stays</a>' in answer.text


async def test_an_earlier_version_says_what_is_different_now(
    browser: httpx.AsyncClient, catalogue: CatalogueDouble
) -> None:
    address = add(catalogue, document(policy=STRICT), version=3)
    catalogue.history[did(1)] = versions(3, 2, 1)
    catalogue.by_checksum[OLD] = document(policy={**STRICT, "maxExecutions": 7})
    answer = await browser.get(address, params={"checksum": OLD})
    found = text(answer.text)
    assert "You read version 1." in found
    assert "At most 7 executions for each agreement." in found
    assert "The current one says instead: At most 100 executions for each agreement." in found
    assert "policy.maxExecutions: 7 → nothing" in found
    assert f'href="/run?on={did(1)}"' not in answer.text
    assert f"{CATALOGUE}/api/v1/metadata/assets/ddo/{did(1)}?checksum={OLD}" in answer.text
    current = await browser.get(address)
    assert f'href="?checksum={OLD}"' in current.text
    assert f'href="?checksum={2:064x}"' not in current.text  # its document is not here


async def test_a_version_that_nobody_has_is_not_found(browser: httpx.AsyncClient, catalogue: CatalogueDouble) -> None:
    address = add(catalogue, document(policy=STRICT))
    assert (await browser.get(address, params={"checksum": "ee" * 32})).status_code == 404
    assert (await browser.get(f"/assets/{did(8)}")).status_code == 404
    assert (await browser.get("/assets/did:nv:1")).status_code == 400


async def test_a_document_that_does_not_fit_its_checksum_is_said_so(
    browser: httpx.AsyncClient, catalogue: CatalogueDouble
) -> None:
    from insitu.domain.integrity import onchain_checksum

    found = document(policy=STRICT)
    assert "does not fit" in (await browser.get(add(catalogue, found))).text
    fitting = onchain_checksum(read_ddo(found)).removeprefix("0x")
    catalogue.add(summary(1, did=did(1), checksum=fitting), found)
    assert '<span class="st ok">fits</span>' in (await browser.get(f"/assets/{did(1)}")).text


async def test_a_page_asks_a_fixed_number_of_questions(browser: httpx.AsyncClient, catalogue: CatalogueDouble) -> None:
    named = [{"did": did(number), "checksum": "ab" * 32} for number in range(2, 60)]
    address = add(catalogue, document(policy={"algorithms": named}))
    await browser.get(address)
    catalogue.asked.clear()
    answer = await browser.get(address)
    assert answer.status_code == 200
    assert len(catalogue.asked) == 4  # status, document, versions, names


async def test_names_of_what_is_mentioned_are_shown(browser: httpx.AsyncClient, catalogue: CatalogueDouble) -> None:
    add(catalogue, document("algorithm", 2), name="Count")
    address = add(catalogue, document(policy={"algorithms": [{"did": did(2), "checksum": "ab" * 32}]}))
    assert f'<a href="/assets/{did(2)}">Count</a>' in (await browser.get(address)).text


async def test_what_is_in_an_image_is_said_by_gateways_of_the_settings_alone(
    browser: httpx.AsyncClient, catalogue: CatalogueDouble, gateways: GatewaysDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    info = gateways.info

    async def told(origin: str) -> GatewayInfo:
        asked.append(origin)
        contents = {f"sha256:{CHECKSUM}": ImageContents(python="3.11", modules=("numpy",))}
        return (await info(origin)).model_copy(update={"image_contents": contents})

    monkeypatch.setattr(gateways, "info", told)
    stranger = document(policy=OPEN)
    await browser.get(add(catalogue, stranger))
    assert "http://127.0.0.1:8030" not in asked
    ours = document(policy=OPEN)
    ours["service"][1]["serviceEndpoint"] = "http://gateway.test/api/v1/gateway"
    answer = await browser.get(add(catalogue, ours))
    assert "Python 3.11, 1 modules: numpy" in answer.text


async def test_a_gateway_that_is_away_takes_nothing_from_the_page(
    browser: httpx.AsyncClient, catalogue: CatalogueDouble, gateways: GatewaysDouble
) -> None:
    gateways.silent.add("http://gateway.test")
    ours = document(policy=OPEN)
    ours["service"][1]["serviceEndpoint"] = "http://gateway.test/api/v1/gateway"
    answer = await browser.get(add(catalogue, ours))
    assert answer.status_code == 200
    assert "insitu/pandas:3.11" in answer.text


async def test_a_result_says_what_made_it(browser: httpx.AsyncClient, catalogue: CatalogueDouble) -> None:
    add(catalogue, document(policy=OPEN), name="Departures")
    answer = await browser.get(add(catalogue, result(), "unlisted"))
    found = text(answer.text)
    assert "Where it comes from" in found
    assert f"insitu result wx{'a2' * 13} -o out/" in found
    assert f'href="/executions/{"a3" * 32}/wx{"a2" * 13}"' in answer.text
    assert f'<a href="/assets/{did(1)}">Departures</a>' in answer.text


async def test_an_algorithm_says_who_may_use_it(browser: httpx.AsyncClient, catalogue: CatalogueDouble) -> None:
    free, own = document("algorithm", 2), document("algorithm", 3, price="1")
    assert "Anybody may use it" in (await browser.get(add(catalogue, free))).text
    assert "Only its owner may use it" in (await browser.get(add(catalogue, own))).text


def test_the_graph_of_a_result_leads_from_data_and_algorithm_to_the_result() -> None:
    graph = graph_of(read_ddo(result()), {did(1): "Departures"})
    assert graph is not None
    assert [thing.what for thing in graph.things] == [
        "Data set", "Data set", "Algorithm", "Workflow", "Agreement", "Execution", "Result",
    ]  # fmt: skip
    assert len(graph.lines) == 3 + 2 + 1
    assert all(x1 < x2 for x1, _, x2, _ in graph.lines)


def test_the_graph_of_a_workflow_has_each_stage_after_what_it_reads() -> None:
    graph = graph_of(read_ddo(workflow()), {})
    assert graph is not None
    at = {box.thing.key: box.x for box in graph.boxes}
    assert at[did(1)] < at["stage 0"] < at["stage 1"]


def test_a_graph_draws_ten_in_a_column_and_lists_all() -> None:
    made = {"inputs": [did(number) for number in range(40)], "workflow": did(99)}
    graph = graph_of(read_ddo(document(compute=made)), {})
    assert graph is not None
    assert len(graph.things) == 42
    assert len(graph.boxes) == MOST + 2


def test_what_is_neither_a_result_nor_a_workflow_has_no_graph() -> None:
    assert graph_of(read_ddo(document(policy=OPEN)), {}) is None


async def test_the_name_by_which_a_visitor_calls_the_server_is_not_in_the_page(
    browser: httpx.AsyncClient, catalogue: CatalogueDouble
) -> None:
    page = await browser.get(add(catalogue, document(policy=OPEN)), headers={"Host": "elsewhere.test"})
    assert "elsewhere.test" not in page.text
    assert f'"url": "http://market.test/assets/{did(1)}"' in page.text


async def test_machines_read_the_same_page(browser: httpx.AsyncClient, catalogue: CatalogueDouble) -> None:
    address = add(catalogue, document(policy=OPEN, name="</script><b>"))
    html = (await browser.get(address)).text
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', html)
    assert found is not None
    data = json.loads(found[1])
    assert (data["@type"], data["name"], data["identifier"]) == ("Dataset", "</script><b>", did(1))
    assert data["creator"] == {"@type": "Thing", "name": "airline office", "identifier": OWNER}
    assert (
        f'<link rel="alternate" type="application/json" href="{CATALOGUE}/api/v1/metadata/assets/ddo/{did(1)}">' in html
    )


async def test_almost_nothing_is_a_page(
    marketplace: Marketplace, browser: httpx.AsyncClient, catalogue: CatalogueDouble
) -> None:
    address = add(catalogue, {"id": did(1)})
    catalogue.history[did(1)] = AssetVersions()
    found = text((await browser.get(address)).text)
    assert "without a name" in found
    assert "The chain has not named a version yet." in found
    catalogue.error = InsituError("PeerUnavailable", "away")
    assert (await browser.get(address)).status_code == 503


async def test_what_its_owner_paused_says_so_and_is_not_sold(
    browser: httpx.AsyncClient, catalogue: CatalogueDouble, gateways: GatewaysDouble
) -> None:
    catalogue.add(summary(1, did=did(1), checksum=CHECKSUM), document(policy=OPEN))
    gateways.paused = (did(1),)
    page = await browser.get(f"/assets/{did(1)}")
    assert '<span class="st no">Paused</span>' in page.text
    assert "Nothing new runs on it for now" in page.text
    assert 'href="/run?' not in page.text
    for address in ("/search", "/", f"/accounts/{OWNER}"):
        assert '<span class="st no">Paused</span>' in (await browser.get(address)).text, address
    catalogue.add(summary(1, did=did(1), checksum=CHECKSUM, state="retired"), document(policy=OPEN))
    assert "Paused" not in (await browser.get(f"/assets/{did(1)}")).text


async def test_gateways_that_are_away_pause_nothing(
    browser: httpx.AsyncClient, catalogue: CatalogueDouble, gateways: GatewaysDouble
) -> None:
    catalogue.add(summary(1, did=did(1), checksum=CHECKSUM), document(policy=OPEN))
    gateways.silent = {GATEWAY}
    page = await browser.get(f"/assets/{did(1)}")
    assert page.status_code == 200
    assert "Paused" not in page.text
