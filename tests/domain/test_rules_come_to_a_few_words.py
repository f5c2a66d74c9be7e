"""What the rules of a data set come to, as a catalogue finds it: the words for what may run and what may leave."""

from typing import Any

import pytest

from insitu.domain.compute_service import ComputeService
from insitu.domain.ddo import read_ddo
from insitu.domain.offered_rules import MOST_TYPES, may_leave, may_run, rules_offered
from insitu.marketplace.samples import OPEN, STRICT, document, workflow

ALGORITHM = {"did": "did:nv:" + "a" * 64, "checksum": "b" * 64}
PUBLISHER = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"


def service(policy: dict[str, Any], containers: int = 1) -> ComputeService:
    environment = {"supportedContainers": [{"image": "python"}] * containers}
    return ComputeService.model_validate({"provider": {"environment": environment}, "policy": policy})


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, ("any",)),
        ({"algorithms": "any"}, ("any",)),
        ({"algorithms": "any", "publishers": [PUBLISHER]}, ("publishers",)),
        ({"algorithms": [ALGORITHM]}, ("algorithms",)),
        ({"algorithms": [ALGORITHM], "publishers": [PUBLISHER]}, ("publishers", "algorithms")),
        ({"algorithms": []}, ("nothing",)),
        ({"review": "manual"}, ("nothing",)),
        ({"consumers": "approved"}, ("nothing",)),
        ({"somethingNew": 1}, ("nothing",)),
    ],
)
def test_what_may_run(policy: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert may_run(service(policy)) == expected
    assert may_run(service(policy, containers=0)) == ("nothing",)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, ("any file", "log")),
        ({"logs": "none"}, ("any file", "no log")),
        ({"output": {"types": ["CSV", ".csv", ".dcm=binary"]}}, (".csv", ".dcm", "log")),
        ({"output": {"types": []}, "logs": "none"}, ("no file", "no log")),
        ({"output": {"maxBytes": 0}}, ("no file", "no log")),
        ({"output": {"maxFiles": 0, "types": [".csv"]}}, ("no file", "log")),
        ({"output": {"maxLogBytes": 0}}, ("any file", "no log")),
    ],
)
def test_what_may_leave(policy: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert may_leave(service(policy)) == expected


def test_a_hostile_document_does_not_fill_an_index() -> None:
    assert len(may_leave(service({"output": {"types": [f".t{number}" for number in range(900)]}}))) == MOST_TYPES + 1


def test_only_what_offers_to_compute_has_rules() -> None:
    assert rules_offered(read_ddo(document(policy=OPEN)))[0] == ("any",)
    assert rules_offered(read_ddo(document(policy=STRICT)))[0] == ("publishers",)
    assert rules_offered(read_ddo(workflow())) == ((), ())
    unreadable = document(policy=OPEN)
    for one in unreadable["service"]:
        if one["type"] == "compute":
            one["attributes"]["main"] = {"price": []}
    assert rules_offered(read_ddo(unreadable)) == ((), ())
