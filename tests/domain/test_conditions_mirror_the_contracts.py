"""The agreement template document says what the contracts do: keys, order, times."""

import json
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.agreement_times import DEFAULT_GRANT_TIMEOUT, MAX_TIMEOUT, SETTLEMENT_LATENCY, agreement_times
from insitu.domain.conditions import (
    CONDITIONS,
    ESCROW_REWARD,
    EXEC_COMPUTE,
    LOCK_REWARD,
    AgreementTemplate,
    ConditionKind,
    agreement_template,
    condition_key,
    condition_name,
)
from insitu.domain.errors import InsituError
from tests.domain.documents import CHAIN_ID, CONTRACT, OWNER, vector


def template(**timeouts: int) -> AgreementTemplate:
    return agreement_template(CONTRACT, CHAIN_ID, price=10, **timeouts)


@pytest.mark.parametrize("case", vector("conditions"), ids=lambda case: case["name"])
def test_selectors_and_keys_are_those_of_the_vectors(case: dict[str, str]) -> None:
    kind = next(kind for kind in CONDITIONS if kind.name == case["name"])
    assert (kind.signature, kind.selector.hex()) == (case["signature"], case["selector"])
    assert condition_key(case["template"], case["controller"], kind.selector) == case["conditionKey"]  # type: ignore[arg-type]


def test_a_key_depends_on_template_controller_and_function() -> None:
    kinds = {condition_key(CONTRACT, CONTRACT, kind.selector) for kind in CONDITIONS}
    assert len(kinds) == 3
    assert condition_key(OWNER.address, CONTRACT, CONDITIONS[0].selector) not in kinds
    assert condition_key(CONTRACT, OWNER.address, CONDITIONS[0].selector) not in kinds


def test_the_document_lists_the_conditions_in_the_order_of_the_specification() -> None:
    document = template()
    assert [condition.name for condition in document.conditions] == [LOCK_REWARD, EXEC_COMPUTE, ESCROW_REWARD]
    assert document.fulfillment_order == ("lockReward.fulfill", "execCompute.fulfill", "escrowReward.fulfill")


@pytest.mark.parametrize(
    ("alias", "name"),
    [("serviceExecution", EXEC_COMPUTE), ("releaseReward", ESCROW_REWARD), ("lockReward", LOCK_REWARD), ("x", "x")],
)
def test_the_specifications_other_names_mean_the_same_conditions(alias: str, name: str) -> None:
    assert condition_name(alias) == name


def test_zero_takes_the_defaults() -> None:
    times = agreement_times(86400, template(), 600)
    assert (times.grant_timeout, times.timeout, times.settle_timeout, times.lock_timeout) == (600, 86400, 4200, 600)


def test_stated_times_are_taken() -> None:
    times = agreement_times(86400, template(grant_timeout=7, settle_timeout=700, lock_timeout=8), 600)
    assert (times.grant_timeout, times.settle_timeout, times.lock_timeout) == (7, 700, 8)


def test_the_default_grant_timeout_is_never_longer_than_a_short_service() -> None:
    assert agreement_times(30, template(), 10).grant_timeout == 30
    assert agreement_times(86400, template(), 10).grant_timeout == DEFAULT_GRANT_TIMEOUT


def test_a_timelock_is_not_supported() -> None:
    document = template().to_json()
    document["conditions"][1]["timelock"] = 1
    with pytest.raises(InsituError, match="TimelockNotSupported") as caught:
        agreement_times(86400, AgreementTemplate.read(document), 600)
    assert caught.value.pointer == "/serviceAgreementTemplate/conditions/1/timelock"


@given(*(st.integers(-5, MAX_TIMEOUT + 5) for _ in range(5)))
def test_times_leave_room_to_settle_or_are_refused(
    timeout: int, grant: int, settle: int, lock: int, longest: int
) -> None:
    stated = template(grant_timeout=grant, settle_timeout=settle, lock_timeout=lock)
    try:
        times = agreement_times(timeout, stated, longest)
    except InsituError as error:
        assert error.code == "InvalidDocument"
        assert error.pointer is not None
        return
    assert 0 < times.grant_timeout <= times.timeout <= MAX_TIMEOUT
    assert times.settle_timeout >= longest + SETTLEMENT_LATENCY


def signature(function: dict[str, Any]) -> str:
    """The ABI signature of a function, tuples spelt out."""
    return f"{function['name']}({','.join(abi_type(parameter) for parameter in function['inputs'])})"


def abi_type(parameter: dict[str, Any]) -> str:
    if not parameter["type"].startswith("tuple"):
        return str(parameter["type"])
    members = ",".join(abi_type(member) for member in parameter["components"])
    return f"({members}){parameter['type'].removeprefix('tuple')}"


@pytest.mark.parametrize("kind", CONDITIONS, ids=lambda kind: kind.name)
def test_each_condition_names_a_function_of_the_deployed_contract(kind: ConditionKind) -> None:
    artifact = resources.files("insitu.adapters.chain") / "artifacts" / f"{kind.contract_name}.json"
    functions = [entry for entry in json.loads(artifact.read_text())["abi"] if entry["type"] == "function"]
    events = {entry["name"] for entry in json.loads(artifact.read_text())["abi"] if entry["type"] == "event"}
    assert kind.signature in {signature(function) for function in functions}
    assert {name for name, _ in kind.events} <= events
