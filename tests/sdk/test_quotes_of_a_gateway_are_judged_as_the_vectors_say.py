"""What a gateway quotes is compared with the documents, and becomes terms: as the vectors say."""

from types import SimpleNamespace
from typing import Any

import pytest

from insitu.api.gateway_v1 import Quote
from insitu.domain.agreement import Terms
from insitu.domain.compute_service import ComputeService
from insitu.domain.errors import InsituError
from insitu.domain.ids import read_address
from insitu.domain.workflow import Workflow
from insitu.sdk.quotes import WantedInput, WantedWorkflow, terms_of, verify_quote
from tests.domain.documents import patched, vector

VECTORS = vector("gateway-quotes")
GIVEN = VECTORS["wanted"]


class Chain:
    """A chain on which everybody is a provider with a key."""

    async def is_provider(self, did: str, account: str) -> bool:
        return bool(did and account)

    async def has_code(self, account: str) -> bool:
        return not account


def wanted() -> WantedWorkflow:
    entry: Any = SimpleNamespace(index=GIVEN["serviceIndex"])
    asset: Any = SimpleNamespace(did=GIVEN["workflowDid"], checksum=GIVEN["workflowHash"])
    inputs = [
        WantedInput(
            SimpleNamespace(did=given["did"], checksum=given["checksum"], owner=read_address(given["owner"])),  # type: ignore[arg-type]
            entry,
            ComputeService.read(given["service"]),
        )
        for given in GIVEN["inputs"]
    ]
    return WantedWorkflow(asset, Workflow.read(GIVEN["workflow"]), tuple(inputs))


async def judged(case: dict[str, Any]) -> Terms:
    quote = Quote.model_validate(patched(VECTORS["answer"], case["patch"]))
    consumer, chain = read_address(GIVEN["consumer"]), Chain()
    await verify_quote(quote, wanted(), chain, consumer)  # type: ignore[arg-type]
    return terms_of(quote, consumer, GIVEN["now"], GIVEN["seed"])


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
async def test_a_gateways_quote_is_judged_as_in_the_vector(case: dict[str, Any]) -> None:
    if case["code"] is None:
        assert (await judged(case)).model_dump(mode="json", by_alias=True) == VECTORS["terms"]
        return
    with pytest.raises(InsituError, match=case["code"]):
        await judged(case)
