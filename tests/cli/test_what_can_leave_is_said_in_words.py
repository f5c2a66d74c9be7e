"""What one execution and one agreement can take out, as `publish` and `show` say it."""

from typing import Any

import pytest

from insitu.cli.leaving import describe_leaving
from insitu.domain.compute_service import ComputeService
from tests.domain.documents import SERVER, compute_main


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
