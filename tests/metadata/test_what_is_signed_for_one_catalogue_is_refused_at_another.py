"""The operator of one catalogue has an owner's retirement and a gateway's question, and tries them at another one."""

import json
from collections.abc import Callable

import httpx
import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.keys.dev import dev_signer
from insitu.api.metadata_v1 import ASSETS, DDO
from insitu.domain.typed_data import SigningDomain
from insitu.sdk.http import Http
from insitu.sdk.metadata import MetadataClient
from tests.metadata.conftest import Catalogue
from tests.metadata.documents import dataset, question, register, retirement, signed

pytestmark = pytest.mark.needs("chain")

ALICE = dev_signer("owner")
OURS, THEIRS = "http://metadata.test", "https://market.example"


@pytest.fixture
async def both(make_catalogue: Callable[..., Catalogue]) -> tuple[httpx.AsyncClient, httpx.AsyncClient]:
    """Two catalogues that follow one chain and know the same gateway."""
    catalogues = make_catalogue(), make_catalogue("theirs.db", public_url=THEIRS)
    for catalogue in catalogues:
        await catalogue.start()
    return catalogues[0].http, catalogues[1].http


async def publish(chain: EmbeddedChain, *catalogues: httpx.AsyncClient) -> str:
    unsigned = dataset(chain, ALICE)
    for http in catalogues:
        answer = await http.post(DDO, json=signed(unsigned, ALICE), headers={"Idempotency-Key": "guessed"})
        assert answer.status_code == 201
    await register(chain, unsigned, ALICE)
    for http in catalogues:
        await http.get(f"{DDO}/{unsigned.did}/status", params={"wait": 20})
    return str(unsigned.did)


def refusal(answer: httpx.Response, pointer: str | None) -> str:
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem.get("pointer")) == (401, "SignatureMismatch", pointer)
    return str(problem["detail"])


async def test_a_retirement_takes_an_asset_off_one_catalogue(
    both: tuple[httpx.AsyncClient, httpx.AsyncClient], chain: EmbeddedChain
) -> None:
    did = await publish(chain, *both)
    request = retirement(chain, did, ALICE, catalogue=OURS)
    said = refusal(await both[1].request("DELETE", f"{DDO}/{did}", json=request), "/catalogue")
    assert OURS in said
    assert THEIRS in said
    forged = request | {"catalogue": THEIRS}
    assert (await both[1].request("DELETE", f"{DDO}/{did}", json=forged)).json()["code"] == "NotOwner"
    assert (await both[0].request("DELETE", f"{DDO}/{did}", json=request)).json()["state"] == "retired"
    assert (await both[1].get(f"{DDO}/{did}/status")).json()["state"] == "listed"


async def test_a_retirement_for_another_chain_or_asset_is_refused(
    both: tuple[httpx.AsyncClient, httpx.AsyncClient], chain: EmbeddedChain
) -> None:
    did, other = await publish(chain, both[0]), await publish(chain, both[0])
    elsewhere = SigningDomain("insitu catalogues", 1, chain.contract("DIDRegistry"))
    for request in (
        retirement(chain, other, ALICE, catalogue=OURS),
        retirement(chain, did, ALICE, catalogue=OURS, domain=elsewhere),
        retirement(chain, did, ALICE, catalogue=OURS, action="list"),
    ):
        assert (await both[0].request("DELETE", f"{DDO}/{did}", json=request)).json()["code"] == "NotOwner"


async def test_a_gateways_question_is_answered_by_one_catalogue(
    both: tuple[httpx.AsyncClient, httpx.AsyncClient], chain: EmbeddedChain
) -> None:
    did = await publish(chain, *both)
    asked = question(chain, ALICE.address, "guessed", catalogue=OURS)
    refusal(await both[1].post(ASSETS + "/publications", json=asked), "/catalogue")
    refusal(await both[1].post(ASSETS + "/publications", json=asked | {"catalogue": THEIRS}), None)
    assert (await both[0].post(ASSETS + "/publications", json=asked)).json()["did"] == did


async def test_a_client_signs_for_the_catalogue_that_it_calls(
    both: tuple[httpx.AsyncClient, httpx.AsyncClient], chain: EmbeddedChain
) -> None:
    """It does not ask the catalogue for its address, which could name another one."""
    did, sent = await publish(chain, both[0]), []

    async def pass_on(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        answer = await both[0].request(
            request.method, request.url.path, content=request.content, headers=request.headers
        )
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    http = Http(transport=httpx.MockTransport(pass_on))
    assert (await MetadataClient(http, OURS + "/").retire(did, ALICE, chain)).state == "retired"
    assert sent[0]["catalogue"] == OURS
    await http.close()
