"""Under an agreement another version of its workflow may run if it uses the same data in the same way (ADR 0124)."""

import json
from typing import Any

import pytest

from insitu.domain.compute_service import ComputeService
from insitu.domain.errors import InsituError
from insitu.domain.flavour import OfferedService
from insitu.domain.revisions import require_parameters, require_same_purchase
from insitu.domain.workflow import Workflow
from tests.domain.documents import VECTORS, compute_main

CASES: dict[str, Any] = json.loads((VECTORS / "revisions.json").read_text("utf-8"))
BOUGHT = Workflow.read(CASES["bought"])


def offers() -> list[OfferedService]:
    main = compute_main()
    main["provider"]["environment"]["supportedServers"] = CASES["servers"]
    return [OfferedService(did, ComputeService.read(main)) for did in BOUGHT.input_dids]


def named(kind: str) -> Any:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES[kind]])


@named("revisions")
def test_a_revision_is_judged_as_in_the_vector(case: dict[str, Any]) -> None:
    revised = Workflow.read(case["revised"])
    if "code" not in case:
        require_same_purchase(BOUGHT, revised, offers())
        return
    with pytest.raises(InsituError) as caught:
        require_same_purchase(BOUGHT, revised, offers())
    assert (caught.value.code, caught.value.pointer) == (case["code"], case["pointer"])


@named("parameters")
def test_parameters_are_judged_as_in_the_vector(case: dict[str, Any]) -> None:
    if "code" not in case:
        require_parameters(BOUGHT, case["parameters"], CASES["allowedParameters"])
        return
    with pytest.raises(InsituError) as caught:
        require_parameters(BOUGHT, case["parameters"], CASES["allowedParameters"])
    assert (caught.value.code, caught.value.pointer) == (case["code"], case["pointer"])
