"""`POST /publish/preview` says what the page of an asset will say, in the same words, and keeps nothing."""

from typing import Any

import httpx
import pytest

from insitu.domain.ddo import read_ddo
from insitu.marketplace.descriptions import Description
from insitu.marketplace.samples import STRICT, document
from insitu.marketplace.words.costs import costs_of
from insitu.marketplace.words.rules import rules_of
from tests.doubles.catalogue import TOKEN, CatalogueDouble, summary
from tests.marketplace.hostile_texts import HOSTILE

DID = "did:nv:" + "5a" * 32


def draft(*services: dict[str, Any], **main: Any) -> dict[str, Any]:
    """A document as the page sends it: without DID, date, proof and files."""
    metadata = {"type": "metadata", "attributes": {"main": {"name": "Words", "type": "dataset", "files": [], **main}}}
    return {"service": [metadata, *services]}


async def asked(browser: httpx.AsyncClient, sent: object) -> Any:
    answer = await browser.post("/publish/preview", json=sent)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json()


async def test_the_words_are_those_of_the_page(browser: httpx.AsyncClient) -> None:
    whole = document(policy=STRICT, number=1)
    compute = next(entry for entry in whole["service"] if entry["type"] == "compute")
    said = await asked(browser, draft(compute))
    service = Description(read_ddo(whole)).offer
    assert service is not None
    rules, costs = rules_of(service), costs_of(service, TOKEN)
    for side, sentences in (("inside", rules.inside), ("leaving", rules.leaving)):
        texts = [[part if isinstance(part, str) else part["kind"] for part in one] for one in said["rules"][side]]
        assert texts == [[part if isinstance(part, str) else part.kind for part in one] for one in sentences]
    assert said["costs"]["summary"] == costs.summary
    assert said["gate"]["run"]["head"]
    assert said["graph"] is None


async def test_a_workflow_is_drawn_with_the_names_that_the_catalogue_knows(
    browser: httpx.AsyncClient, catalogue: CatalogueDouble
) -> None:
    listed = document(policy=STRICT, number=1)
    catalogue.add(summary(1, did=listed["id"]), listed)
    stages = [
        {"index": 0, "stageType": "a", "input": [{"index": 0, "id": listed["id"]}], "transformation": {"id": DID}},
        {"index": 1, "stageType": "b", "input": [{"index": 0, "previousStage": 0}], "transformation": {"id": DID}},
    ]
    said = await asked(browser, draft(type="workflow", workflow={"stages": stages}))
    assert [box["what"] for box in said["graph"]["boxes"]] == ["Data set", "Algorithm", "Stage 0", "Stage 1"]
    assert len(said["graph"]["lines"]) == 4
    assert list(said["names"]) == [listed["id"]]
    assert said["rules"] is None


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_comes_back_as_text(browser: httpx.AsyncClient, text: str) -> None:
    policy = {"algorithms": "any", "use": text, "output": {"types": [text]}, "parameters": [text]}
    main = {"price": "0", "timeout": 60, "policy": policy}
    sent = draft({"type": "compute", "attributes": {"main": main}}, name=text)
    answer = await browser.post("/publish/preview", json=sent)
    assert answer.status_code in {200, 413}
    assert answer.headers["content-type"].startswith(("application/json", "application/problem+json", "text/html"))
    assert text not in answer.text or answer.headers["content-type"].startswith("application/")


@pytest.mark.parametrize(
    "sent", [[], "text", None, 1, {}, {"service": 1}, {"service": [{}]}, {"service": [{"type": "metadata"}]}]
)
async def test_what_is_no_document_is_a_problem_and_no_defect(browser: httpx.AsyncClient, sent: object) -> None:
    answer = await browser.post("/publish/preview", json=sent, headers={"Accept": "application/json"})
    assert answer.status_code < 500, answer.text
    if answer.status_code == 200:
        assert answer.json()["rules"] is None


async def test_there_is_a_page_for_each_kind_and_no_other(browser: httpx.AsyncClient) -> None:
    choice = await browser.get("/publish")
    for kind in ("data", "algorithm", "workflow"):
        assert f'href="/publish/{kind}"' in choice.text
        page = await browser.get(f"/publish/{kind}")
        assert page.status_code == 200
        assert f'kind="{kind}"' in page.text
        assert "needs JavaScript" in page.text
        assert 'type="file"' not in page.text
    assert (await browser.get("/publish/else")).status_code == 404
