"""What one execution and one agreement can take out, as `publish` and `show` say it."""

from types import SimpleNamespace
from typing import Any

import pytest

from insitu.cli.asset_views import _rules
from insitu.cli.commands.purchase import uses_of
from insitu.cli.leaving import describe_leaving, describe_leaving_of
from insitu.domain.compute_service import ComputeService
from insitu.domain.policy import Policy
from tests.domain.documents import SERVER, compute_main, dataset_ddo


def words(servers: list[dict[str, Any]], **policy: Any) -> str:
    main = compute_main(policy=policy)
    main["provider"]["environment"]["supportedServers"] = servers
    return describe_leaving(ComputeService.read(main, ""))


@pytest.mark.parametrize(
    ("policy", "execution", "agreement"),
    [
        ({"output": {"maxBytes": 1000}}, "1.0 kB in files and 1.0 kB of log text", "100 executions: at most 200.0 kB"),
        ({"output": {"maxBytes": 10**6}, "maxExecutions": 2}, "1.0 MB in files and 65.5 kB of", "at most 2.1 MB"),
        ({"output": {"maxBytes": 1000}, "logs": "none"}, "1.0 kB in files and no log text", "at most 100.0 kB"),
        ({"output": {"maxBytes": 1000, "maxLogBytes": 0}}, "1.0 kB in files and no log text", "at most 100.0 kB"),
        ({}, "16.8 MB of log text", "one agreement of 100 executions"),
    ],
)
def test_files_and_log_text_are_named_for_an_execution_and_added_for_an_agreement(
    policy: dict[str, Any], execution: str, agreement: str
) -> None:
    said = words([SERVER], **policy)
    assert execution in said
    assert agreement in said
    assert said.endswith("always visible: times, phases, reason codes")


def test_the_largest_server_counts() -> None:
    large = {**SERVER, "serverId": "large", "disk": "500gb"}
    assert "at most 500.0 GB in files" in words([SERVER, large])


def test_a_service_of_an_older_document_is_shown_without_them() -> None:
    assert words([]) == ""
    assert words([{**SERVER, "disk": "much"}]) == ""


def test_an_owner_is_told_what_is_not_limited() -> None:
    *_, warning = describe_leaving_of(dataset_ddo())
    limits = (
        "maxBytes (--max-output), maxFiles (--max-files), maxLogBytes (--max-log), maxExecutions (--max-executions)"
    )
    assert warning == f"the policy does not limit {limits}"
    rules = {"output": {"maxBytes": 1, "maxFiles": 1}, "maxExecutions": 1}
    assert len(describe_leaving_of(dataset_ddo(compute_main(policy=rules)))) == 1


ACCOUNT = "0x" + "11" * 20


@pytest.mark.parametrize(
    ("policy", "name", "said"),
    [
        ({}, "consumers", "any"),
        ({"consumers": [ACCOUNT]}, "consumers", ACCOUNT),
        ({"consumers": []}, "consumers", "none"),
        ({"use": "Research\x1b[2J only"}, "may be used", "Research"),
        ({}, "revisions", "only the workflow that was bought runs"),
        ({"revisions": "untilSuccess"}, "revisions", "until an execution succeeds"),
        ({"revisions": "always"}, "revisions", "at any time"),
        ({}, "parameters", "none can be set"),
        ({"parameters": ["ward", "year"]}, "parameters", "ward, year"),
        ({}, "failures", "the price is due at the end"),
        ({"failures": "free"}, "failures", "the price is due at the end"),
        ({"failures": "free", "logs": "none"}, "failures", "costs nothing"),
        ({}, "data", "newest"),
        ({"data": "pinned"}, "data", "that were bought"),
        ({"rows": 1, "ledger": {}, "consumers": "approved"}, "not obeyed here", "/consumers, /rows, /ledger"),
    ],
)
def test_a_rule_is_shown_in_words_even_if_nothing_runs_under_it(policy: dict[str, Any], name: str, said: str) -> None:
    shown = dict(_rules(Policy.read(policy)))[name]
    assert said in shown
    assert "\x1b" not in shown


async def test_the_uses_that_owners_allow_are_shown_before_anyone_pays() -> None:
    said = {"a": "Research only", "b": "Research only", "c": "", "d": "No \x1b[2J resale"}

    async def resolve(did: str, checksum: str) -> Any:
        assert checksum == f"version of {did}", "the text is that of the version that is bought"
        return dataset_ddo(compute_main(policy={"use": said[did]}))

    client = SimpleNamespace(assets=SimpleNamespace(resolve=resolve))
    quote = SimpleNamespace(inputs=[SimpleNamespace(did=did, checksum=f"version of {did}") for did in said])
    uses = (await uses_of(client, quote)).split("\n")  # type: ignore[arg-type]
    assert uses[0] == "Research only"
    assert len(uses) == 2
    assert "\x1b" not in uses[1]
