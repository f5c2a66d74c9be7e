"""What publishers leave out is filled in, and what a workflow costs follows from documents: as the vectors say."""

import json
from pathlib import Path
from typing import Any

import pytest

from insitu.domain.agreement_times import joint_times
from insitu.domain.compute_service import ComputeService
from insitu.domain.errors import InsituError
from insitu.domain.flavour import OfferedService, choose_server
from insitu.domain.ids import read_address
from insitu.domain.pricing import PricedInput, price_of
from insitu.domain.workflow import Workflow
from insitu.sdk.descriptions import Surroundings, complete_services, read_description

VECTORS = Path(__file__).resolve().parent.parent / "vectors"
COMPLETED: dict[str, Any] = json.loads((VECTORS / "completed-services.json").read_text("utf-8"))
QUOTES: dict[str, Any] = json.loads((VECTORS / "quotes.json").read_text("utf-8"))


def named(cases: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in cases])


def completed(case: dict[str, Any]) -> list[dict[str, Any]]:
    where = COMPLETED["surroundings"]
    surroundings = Surroundings(
        where["metadataAddress"], where["gatewayUrl"], read_address(where["contract"]), where["chainId"]
    )
    description = read_description(case["assetMetadata"], case.get("servicesDescription", []))
    creator = read_address(where["creator"])
    return complete_services(description, description.files, surroundings, creator, where["created"])


@named(COMPLETED["described"])
def test_a_description_is_completed_as_in_the_vector(case: dict[str, Any]) -> None:
    assert completed(case) == case["service"]


@named(COMPLETED["refused"])
def test_a_description_is_refused_as_in_the_vector(case: dict[str, Any]) -> None:
    with pytest.raises(InsituError) as caught:
        completed(case)
    assert (caught.value.code, caught.value.pointer) == (case["code"], case["pointer"])


def quoted(case: dict[str, Any]) -> dict[str, Any]:
    """What a consumer must be quoted, from the documents of the case alone."""
    workflow = Workflow.read(case["workflow"])
    services = {did: ComputeService.read(main) for did, main in case["services"].items()}
    inputs = workflow.input_dids
    server = choose_server(workflow, [OfferedService(did, services[did]) for did in inputs])
    priced = [PricedInput(did, read_address(case["owners"][did]), services[did].price) for did in inputs]
    price = price_of(priced, server, read_address(QUOTES["provider"]), read_address(QUOTES["consumer"]))
    times = joint_times([services[did].times() for did in inputs])
    return {
        "server": server.server_id,
        "receivers": list(price.receivers),
        "amounts": [str(amount) for amount in price.amounts],
        "price": str(price.total),
        "deadlineSeconds": times.lock_timeout,
        "grantTimeout": times.grant_timeout,
        "timeout": times.timeout,
        "settleTimeout": times.settle_timeout,
    }


@named(QUOTES["quotes"])
def test_a_quote_follows_from_the_documents_as_in_the_vector(case: dict[str, Any]) -> None:
    assert quoted(case) == case["quote"]


@named(QUOTES["refused"])
def test_what_cannot_be_bought_is_refused_as_in_the_vector(case: dict[str, Any]) -> None:
    with pytest.raises(InsituError) as caught:
        quoted(case)
    assert caught.value.code == case["code"]
