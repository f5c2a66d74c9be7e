"""Policies, flavour, servers and usage: the strictest rule of all inputs applies, and every refusal has a reason."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.compute_service import ComputeService, Container, Server
from insitu.domain.effective_policy import effective_policy
from insitu.domain.errors import InsituError
from insitu.domain.flavour import (
    OfferedService,
    UsedAlgorithm,
    choose_server,
    flavour_refusals,
    meets,
    supported_container,
    usage_refusals,
)
from insitu.domain.policy import Algorithm, Policy, Refusal, Verdict
from insitu.domain.workflow import Workflow
from tests.domain.documents import (
    CONSUMER,
    CONTAINER,
    OTHER_OWNER,
    OWNER,
    PROVIDER,
    SERVER,
    STRANGER,
    compute_main,
    stage,
    two_stages,
)
from tests.doubles.plans import LIMITS

A, B, C = (f"did:nv:{digit * 64}" for digit in "abc")
WORKFLOW = Workflow.read(two_stages(A, B, C))
ALGORITHM = Algorithm(did=C, checksum="cd" * 32, publisher=CONSUMER.address, registrant=CONSUMER.address)


def policy(**members: Any) -> Policy:
    return Policy.read(members)


def listed(checksum: str = "cd" * 32, did: str = C) -> dict[str, str]:
    return {"did": did, "checksum": checksum}


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        ({}, True),
        ({"algorithms": "any"}, True),
        ({"algorithms": []}, False),
        ({"algorithms": [listed()]}, True),
        ({"algorithms": [listed("0x" + "CD" * 32)]}, True),
        ({"algorithms": [listed("00" * 32)]}, False),
        ({"algorithms": [listed(did=A)]}, False),
        ({"publishers": [CONSUMER.address]}, True),
        ({"publishers": [CONSUMER.address.lower()]}, True),
        ({"publishers": [STRANGER.address]}, False),
        ({"algorithms": "any", "publishers": [STRANGER.address]}, False),
        ({"algorithms": [], "publishers": [CONSUMER.address]}, True),
    ],
)
def test_a_policy_allows_listed_algorithms_and_trusted_publishers(rules: dict[str, Any], allowed: bool) -> None:
    assert policy(**rules).allows(ALGORITHM) is allowed


def test_one_owner_who_forbids_is_enough() -> None:
    effective = effective_policy([(A, policy()), (B, policy(algorithms=[]))])
    assert [(reason.code, reason.did) for reason in effective.refusals([ALGORITHM], CONSUMER.address)] == [
        ("AlgorithmNotAllowed", B)
    ]


def test_a_rule_that_was_tightened_after_the_purchase_counts() -> None:
    bought, current = policy(algorithms="any"), policy(algorithms=[])
    assert effective_policy([(A, bought), (A, current)]).refusals([ALGORITHM], CONSUMER.address)
    assert effective_policy([(A, current), (A, bought)]).refusals([ALGORITHM], CONSUMER.address)


def test_manual_review_is_refused_until_it_exists() -> None:
    reasons = effective_policy([(A, policy(review="manual"))]).refusals([], CONSUMER.address)
    assert [reason.code for reason in reasons] == ["ManualReviewNotSupported"]


def test_the_strictest_limit_of_each_kind_holds() -> None:
    effective = effective_policy(
        [
            (A, policy(output={"maxBytes": 100, "types": ["csv", ".TXT"]}, maxExecutions=5)),
            (B, policy(output={"maxBytes": 50, "maxFiles": 3, "types": [".csv"]}, logs="after_review")),
        ]
    )
    assert (effective.max_bytes, effective.max_files, effective.types) == (50, 3, (".csv",))
    assert (effective.logs, effective.max_executions, effective.review) == ("after_review", 5, "none")
    rules = effective.output_rules(LIMITS.model_copy(update={"disk_bytes": 40}))
    assert (rules.max_bytes, rules.max_files, rules.types, rules.logs) == (40, 3, (".csv",), "after_review")


def test_nothing_in_common_lets_nothing_leave() -> None:
    effective = effective_policy([(A, policy(output={"types": ["csv"]})), (B, policy(output={"types": ["png"]}))])
    assert effective.types == ()


KIB = 1024


@pytest.mark.parametrize(
    ("output", "most"),
    [
        ({}, None),
        ({"maxFiles": 5}, None),
        ({"maxBytes": KIB}, KIB),
        ({"maxBytes": 100 * KIB}, 64 * KIB),
        ({"types": [".csv"]}, 64 * KIB),
        ({"maxBytes": KIB, "maxLogBytes": 90 * KIB}, 90 * KIB),
        ({"maxLogBytes": 7}, 7),
        ({"maxBytes": 0}, 0),
    ],
)
def test_an_owner_who_limits_files_and_says_nothing_of_logs_limits_logs(
    output: dict[str, Any], most: int | None
) -> None:
    rules = effective_policy([(A, policy(output=output)), (B, policy())]).output_rules(LIMITS)
    assert policy(output=output).output.effective_log_bytes == most
    assert rules.max_log_bytes == (LIMITS.log_bytes if most is None else most)
    assert rules.lets_logs_out is (most != 0)


def test_logs_are_live_if_nothing_is_reviewed() -> None:
    assert policy().effective_logs == "live"
    assert policy(review="manual").effective_logs == "after_review"
    assert policy(logs="none").effective_logs == "none"


policies = st.builds(
    lambda size, files, log, types, logs, executions, algorithms: policy(
        output={
            name: value
            for name, value in (("maxBytes", size), ("maxFiles", files), ("maxLogBytes", log), ("types", types))
            if value is not None
        },
        logs=logs,
        maxExecutions=executions,
        algorithms=algorithms,
    ),
    st.none() | st.integers(0, 9),
    st.none() | st.integers(0, 9),
    st.none() | st.integers(0, 9),
    st.none() | st.lists(st.sampled_from(["csv", "txt", "png"]), max_size=3),
    st.sampled_from(["live", "after_review", "none"]),
    st.integers(1, 9),
    st.just("any") | st.just([]) | st.just([listed()]),
)


@given(st.lists(policies, min_size=1, max_size=5), policies)
def test_another_owner_never_loosens_a_rule(some: list[Policy], more: Policy) -> None:
    before = effective_policy([(A, each) for each in some])
    after = effective_policy([(A, each) for each in some] + [(B, more)])
    assert set(before.refusals([ALGORITHM], CONSUMER.address)) <= set(after.refusals([ALGORITHM], CONSUMER.address))
    old, new = before.output_rules(LIMITS), after.output_rules(LIMITS)
    assert new.max_bytes <= old.max_bytes
    assert new.max_files <= old.max_files
    assert new.max_log_bytes is not None
    assert old.max_log_bytes is not None
    assert new.max_log_bytes <= old.max_log_bytes
    assert old.types is None or (new.types is not None and set(new.types) <= set(old.types))
    assert after.max_executions <= before.max_executions
    order = ["live", "after_review", "none"]
    assert order.index(new.logs) >= order.index(old.logs)


def test_a_verdict_is_allowed_or_names_every_reason_once() -> None:
    reason = Refusal(code="ImageNotAllowed", did=A, message="no")
    assert Verdict.of([]).allowed
    assert Verdict.of([reason, reason]).reasons == (reason,)
    Verdict.of([]).require()
    with pytest.raises(InsituError, match="ImageNotAllowed") as caught:
        Verdict.of([reason]).require()
    assert caught.value.context["did"] == A
    assert [problem.code for problem in caught.value.problems] == ["ImageNotAllowed"]


def offer(did: str = A, **environment: Any) -> OfferedService:
    main = compute_main()
    main["provider"]["environment"] |= environment
    return OfferedService(did, ComputeService.read(main))


def test_a_supported_container_may_run() -> None:
    assert flavour_refusals(WORKFLOW, [offer(A), offer(B)]) == ()


@pytest.mark.parametrize(
    "containers",
    [
        [],
        [{**CONTAINER, "checksum": "sha256:" + "00" * 32}],
        [{**CONTAINER, "image": "other"}],
        [{**CONTAINER, "tag": "2"}],
    ],
)
def test_a_container_must_be_supported_by_every_input(containers: list[dict[str, str]]) -> None:
    refusals = flavour_refusals(WORKFLOW, [offer(A), offer(B, supportedContainers=containers)])
    assert refusals
    assert {(reason.code, reason.did) for reason in refusals} == {("ImageNotAllowed", B)}


def test_without_supported_containers_nothing_may_run() -> None:
    main = compute_main()
    del main["provider"]["environment"]["supportedContainers"]
    assert flavour_refusals(WORKFLOW, [OfferedService(A, ComputeService.read(main))])


def test_a_stage_without_container_may_not_run() -> None:
    naked = Workflow.read({"stages": [stage(0, [{"index": 0, "id": A}], C, requirements={})]})
    assert [reason.code for reason in flavour_refusals(naked, [offer()])] == ["ImageNotAllowed"]


def test_the_image_is_taken_by_the_name_of_the_ddo() -> None:
    found = supported_container(
        Container.read({"image": "insitu/python", "checksum": CONTAINER["checksum"]}), offer().service
    )
    assert found is not None
    assert found.tag == CONTAINER["tag"]


def used(owner: str = CONSUMER.address, price: int = 5, container: dict[str, str] | None = None) -> UsedAlgorithm:
    wanted = Container.read(container) if container is not None else None
    return UsedAlgorithm(C, owner, price, wanted)  # type: ignore[arg-type]


def test_an_algorithm_is_usable_by_its_owner_or_if_it_is_free() -> None:
    consumer = CONSUMER.address
    assert usage_refusals(WORKFLOW, [used()], consumer) == ()
    assert usage_refusals(WORKFLOW, [used(OTHER_OWNER.address, 0)], consumer) == ()
    refused = usage_refusals(WORKFLOW, [used(OTHER_OWNER.address, 1)], consumer)
    assert [reason.code for reason in refused] == ["AlgorithmNotUsable"]


def test_an_algorithm_that_needs_another_container_is_refused() -> None:
    refused = usage_refusals(WORKFLOW, [used(container={"image": "other"})], CONSUMER.address)
    assert {reason.code for reason in refused} == {"ImageNotAllowed"}


def test_an_algorithm_that_is_not_known_is_refused() -> None:
    assert {reason.code for reason in usage_refusals(WORKFLOW, [], PROVIDER.address)} == {"AssetNotFound"}


LARGE = {**SERVER, "serverId": "large", "price": "9", "cpu": "8", "memory": "64gb", "disk": "1tb"}


def needing(**requirements: Any) -> Workflow:
    wanted = {"container": CONTAINER, **requirements}
    return Workflow.read({"stages": [stage(0, [{"index": 0, "id": A}], C, requirements=wanted)]})


def test_the_cheapest_server_that_is_large_enough_is_chosen() -> None:
    offers = [offer(supportedServers=[LARGE, SERVER])]
    assert choose_server(needing(), offers).server_id == "small"
    assert choose_server(needing(cpu="2"), offers).server_id == "large"
    assert choose_server(needing(memory="1.5gb"), offers).server_id == "large"


def test_a_named_server_is_taken_if_it_is_large_enough() -> None:
    offers = [offer(supportedServers=[LARGE, SERVER])]
    assert choose_server(needing(serverId="large"), offers).server_id == "large"
    with pytest.raises(InsituError, match="NoSuitableServer"):
        choose_server(needing(serverId="small", cpu="2"), offers)
    with pytest.raises(InsituError, match="NoSuitableServer"):
        choose_server(needing(serverId="unknown"), offers)


def test_a_server_must_be_offered_for_every_input() -> None:
    both = [offer(A, supportedServers=[LARGE, SERVER]), offer(B, supportedServers=[LARGE])]
    assert choose_server(needing(), both).server_id == "large"
    with pytest.raises(InsituError, match="NoSuitableServer"):
        choose_server(needing(), [offer(A, supportedServers=[SERVER]), offer(B, supportedServers=[LARGE])])


def test_two_named_servers_are_ambiguous_and_no_input_has_no_server() -> None:
    wanted = [stage(i, [{"index": 0, "id": A}], C, requirements={"serverId": str(i)}) for i in range(2)]
    with pytest.raises(InsituError, match="ServerAmbiguous"):
        choose_server(Workflow.read({"stages": wanted}), [offer()])
    with pytest.raises(InsituError, match="NoSuitableServer"):
        choose_server(needing(), [])


servers = st.builds(
    lambda number, price, cpu, memory: (
        {**SERVER, "serverId": f"s{number}", "price": str(price), "cpu": str(cpu)} | {"memory": f"{memory}gb"}
    ),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(1, 8),
    st.integers(1, 8),
)


@given(st.lists(servers, min_size=1, max_size=6, unique_by=lambda each: each["serverId"]), st.integers(1, 8))
def test_no_cheaper_server_would_have_done(offered: list[dict[str, Any]], cpu: int) -> None:
    workflow = needing(cpu=cpu)
    fitting = [each for each in map(Server.read, offered) if meets(each, workflow.need)]
    if not fitting:
        with pytest.raises(InsituError, match="NoSuitableServer"):
            choose_server(workflow, [offer(supportedServers=offered)])
        return
    chosen = choose_server(workflow, [offer(supportedServers=offered)])
    assert chosen.price == min(each.price for each in fitting)


def test_limits_for_the_plan_are_exact() -> None:
    limits = Server.read(LARGE).limits()
    assert (limits.cpu_millis, limits.memory_bytes, limits.disk_bytes) == (8000, 64 * 10**9, 10**12)
    assert (limits.server_id, limits.max_execution_seconds) == ("large", 600)
    assert OWNER.address != OTHER_OWNER.address
