"""What an execution obeys: terms of sale as they were bought, and the strictest of every restriction (vectors)."""

from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic.alias_generators import to_camel

from insitu.domain.effective_policy import RESTRICTIONS, TERMS_OF_SALE, EffectivePolicy, effective_policy
from insitu.domain.errors import InsituError
from insitu.domain.policy import Algorithm, Policy
from insitu.domain.validation import validate_ddo
from tests.domain.documents import CONSUMER, STRANGER, compute_main, dataset_ddo, published, vector

VECTORS = vector("policies")
DIDS = VECTORS["inputs"]
ALGORITHM = Algorithm(**VECTORS["algorithm"])


def read(policies: list[Any]) -> list[tuple[str, Policy]]:
    return [(did, Policy.read(policy)) for did, policy in zip(DIDS, policies, strict=False)]


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_the_rules_of_an_execution_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    found = effective_policy(read(case["bought"]), read(case["current"]))
    said = {to_camel(name): getattr(found, name) for name in (*TERMS_OF_SALE, *RESTRICTIONS)}
    assert {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()} == (
        case["effective"]
    )
    refused = found.refusals([ALGORITHM], VECTORS["consumer"])
    assert [[refusal.code, DIDS.index(refusal.did)] for refusal in refused] == case["refused"]


def test_every_member_of_the_effective_policy_is_in_the_table_once() -> None:
    members = set(asdict(effective_policy([]))) - {"policies"}
    assert members == {*TERMS_OF_SALE, *RESTRICTIONS}
    assert not TERMS_OF_SALE.keys() & RESTRICTIONS.keys()


some = st.integers(0, 40_000) | st.none()
policies = st.fixed_dictionaries(
    {},
    optional={
        "algorithms": st.sampled_from(["any", [], [{"did": ALGORITHM.did, "checksum": ALGORITHM.checksum}]]),
        "publishers": st.sampled_from([[ALGORITHM.publisher], [STRANGER.address]]),
        "consumers": st.sampled_from(["any", "approved", [], [CONSUMER.address], [STRANGER.address]]),
        "output": st.fixed_dictionaries(
            {},
            optional={
                "maxBytes": some,
                "maxFiles": some,
                "maxLogBytes": some,
                "types": st.lists(st.sampled_from([".csv", "txt", ".csv.gz", ".dcm=text", ".dcm=binary"])),
                "unknown": st.just(1),
            },
        ),
        "review": st.sampled_from(["none", "manual", {"mode": "held"}]),
        "logs": st.sampled_from(["live", "after_review", "none"]),
        "revisions": st.sampled_from(["none", "untilSuccess", "always"]),
        "parameters": st.lists(st.sampled_from(["ward", "year", "least"])),
        "failures": st.sampled_from(["charged", "free"]),
        "data": st.sampled_from(["newest", "pinned"]),
        "maxExecutions": st.integers(1, 1000),
        "version": st.integers(1, 2),
        "unknown": st.just(1),
    },
).map(Policy.read)
inputs = st.lists(policies.map(lambda policy: (DIDS[0], policy)), min_size=1, max_size=4)


def is_as_strict(strict: EffectivePolicy, other: EffectivePolicy, *, as_sold: bool) -> bool:
    """Whether everything that ``strict`` lets happen ``other`` lets happen too."""

    def below(mine: int | None, theirs: int | None) -> bool:
        return theirs is None or (mine is not None and mine <= theirs)

    logs, revisions = ["none", "after_review", "live"], ["none", "untilSuccess", "always"]
    sold = strict.max_executions <= other.max_executions and (strict.failures, other.failures) != ("free", "charged")
    sold = sold and (strict.data, other.data) != ("newest", "pinned")
    return (
        (sold or not as_sold)
        and below(strict.max_bytes, other.max_bytes)
        and below(strict.max_files, other.max_files)
        and below(strict.max_log_bytes, other.max_log_bytes)
        and (other.types is None or (strict.types is not None and set(strict.types) <= covered(other.types)))
        and logs.index(strict.logs) <= logs.index(other.logs)
        and revisions.index(strict.revisions) <= revisions.index(other.revisions)
        and set(strict.parameters) <= set(other.parameters)
        and (strict.review, other.review) != ("none", "manual")
        and set(other.refusals([ALGORITHM], CONSUMER.address)) <= set(strict.refusals([ALGORITHM], CONSUMER.address))
    )


def covered(types: tuple[str, ...]) -> set[str]:
    """The types that these let out, of those of the strategy."""
    return {*types} | ({".csv.gz"} if ".gz" in types else set()) | ({".dcm=text"} if ".dcm=binary" in types else set())


@given(inputs, inputs, policies)
def test_another_version_or_input_never_widens_anything(
    bought: list[tuple[str, Policy]], current: list[tuple[str, Policy]], more: Policy
) -> None:
    before = effective_policy(bought, current)
    assert is_as_strict(effective_policy([*bought, (DIDS[1], more)], current), before, as_sold=True)
    assert is_as_strict(effective_policy(bought, [*current, (DIDS[1], more)]), before, as_sold=True)
    for alone in bought:
        assert is_as_strict(before, effective_policy([alone]), as_sold=True)
    for alone in current:
        assert is_as_strict(before, effective_policy([alone]), as_sold=False)


@given(inputs, inputs, st.randoms(use_true_random=False))
def test_the_order_of_inputs_and_versions_does_not_matter(
    bought: list[tuple[str, Policy]], current: list[tuple[str, Policy]], chance: Any
) -> None:
    before = effective_policy(bought, current)
    other = effective_policy(chance.sample(bought, len(bought)), chance.sample(current, len(current)))
    assert is_as_strict(before, other, as_sold=True)
    assert is_as_strict(other, before, as_sold=True)


@given(inputs, inputs)
def test_terms_of_sale_are_those_that_were_bought(
    bought: list[tuple[str, Policy]], current: list[tuple[str, Policy]]
) -> None:
    sold, now = effective_policy(bought), effective_policy(bought, current)
    assert [getattr(sold, name) for name in TERMS_OF_SALE] == [getattr(now, name) for name in TERMS_OF_SALE]


@pytest.mark.parametrize(
    ("policy", "code", "pointer"),
    [
        ({"rows": 1}, "PolicyNotUnderstood", "/rows"),
        ({"a/b": 1}, "PolicyNotUnderstood", "/a~1b"),
        ({"output": {"maxRows": 1}}, "PolicyNotUnderstood", "/output/maxRows"),
        (
            {"algorithms": [{"did": DIDS[0], "checksum": "ab" * 32, "until": 1}]},
            "PolicyNotUnderstood",
            "/algorithms/0/until",
        ),
        ({"version": 2}, "PolicyNotUnderstood", "/version"),
        ({"version": 0}, "PolicyNotUnderstood", "/version"),
        ({"consumers": "approved"}, "PolicyNotUnderstood", "/consumers"),
        ({"disclosure": {}}, "PolicyNotUnderstood", "/disclosure"),
        ({"ledger": None}, "PolicyNotUnderstood", "/ledger"),
        ({"review": {"mode": "none"}}, "ManualReviewNotSupported", "/review"),
        ({"failures": "free"}, "InvalidDocument", "/failures"),
        ({"failures": "free", "output": {"maxLogBytes": 16385}}, "InvalidDocument", "/failures"),
        ({"consumers": ["me"]}, "InvalidDocument", "/consumers/0"),
        ({"use": "x" * 4097}, "InvalidDocument", "/use"),
        ({"parameters": ["x"] * 1001}, "InvalidDocument", "/parameters"),
    ],
)
def test_a_rule_that_cannot_be_obeyed_is_refused_when_it_is_published(
    policy: dict[str, Any], code: str, pointer: str
) -> None:
    with pytest.raises(InsituError, match=code) as refused:
        validate_ddo(dataset_ddo(compute_main(policy=policy)), new=True)
    assert refused.value.pointer == f"/service/1/attributes/main/policy{pointer}"


@pytest.mark.parametrize(
    "policy",
    [
        {"version": 1, "consumers": [CONSUMER.address], "use": "Research only", "revisions": "always"},
        {"failures": "free", "output": {"maxLogBytes": 16384}},
        {"failures": "free", "output": {"maxBytes": 1000}},
        {"failures": "free", "logs": "none"},
        {"parameters": ["ward"], "data": "newest"},
    ],
)
def test_rules_that_can_be_obeyed_are_published(policy: dict[str, Any]) -> None:
    validate_ddo(dataset_ddo(compute_main(policy=policy)), new=True)


@pytest.mark.parametrize(
    ("policy", "missing"),
    [
        ({}, ("maxBytes", "maxFiles", "maxLogBytes", "maxExecutions")),
        ({"logs": "none", "maxExecutions": 1}, ("maxBytes", "maxFiles")),
        ({"output": {"types": [".csv"], "maxFiles": 1}}, ("maxBytes", "maxExecutions")),
        ({"output": {"maxBytes": 1, "maxFiles": 1}, "maxExecutions": 1}, ()),
    ],
)
def test_limits_that_a_policy_does_not_state_are_named(policy: dict[str, Any], missing: tuple[str, ...]) -> None:
    assert Policy.read(policy).missing_budgets == missing


def test_files_can_only_be_pinned_if_each_has_its_digest() -> None:
    pinned = dataset_ddo(compute_main(policy={"data": "pinned"}))
    validate_ddo(pinned, new=True)
    entries = pinned.to_json()["service"]
    del entries[0]["attributes"]["main"]["files"][0]["checksum"]
    with pytest.raises(InsituError, match="SHA-256") as refused:
        validate_ddo(published(entries), new=True)
    assert refused.value.pointer == "/service/1/attributes/main/policy/data"


def test_a_policy_of_a_liar_causes_no_huge_answer() -> None:
    hostile = Policy.read({f"{number}{'x' * 100_000}": 1 for number in range(200)})
    refusals = effective_policy([(DIDS[0], hostile)]).refusals([], CONSUMER.address)
    assert len(refusals) == 100
    assert all(len(refusal.message) < 400 for refusal in refusals)


def test_a_rule_that_is_given_twice_is_not_understood() -> None:
    assert Policy.read({"maxExecutions": 100, "max_executions": 1}).not_understood == ("/max_executions",)


def test_an_old_document_with_unknown_rules_is_still_read() -> None:
    validate_ddo(dataset_ddo(compute_main(policy={"rows": 1, "consumers": "approved", "version": 9})))
