"""Describing how much data an owner's rules let one execution and one agreement take out."""

from typing import TYPE_CHECKING

from insitu.domain.errors import InsituError
from insitu.domain.readable import size

if TYPE_CHECKING:
    from insitu.domain.compute_service import ComputeService
    from insitu.domain.ddo import Ddo

OPTIONS = {
    "maxBytes": "--max-output",
    "maxFiles": "--max-files",
    "maxLogBytes": "--max-log",
    "maxExecutions": "--max-executions",
}
"""Which option of ``publish`` and ``update`` sets a limit."""


def describe_leaving_of(ddo: "Ddo") -> list[str]:
    """Say what can leave through each compute service of a document, and warn its owner of limits that are missing."""
    from insitu.domain.compute_service import read_compute_service

    said = [describe_leaving(read_compute_service(service)) for service in ddo.compute_services]
    return [*said, missing] if (missing := describe_missing_budgets(ddo)) else said


def describe_missing_budgets(ddo: "Ddo") -> str:
    """Name the limits that the owner has not set, as a warning; empty if all are set."""
    from insitu.domain.compute_service import read_compute_service

    missing = [
        f"{name} ({OPTIONS[name]})"
        for service in ddo.compute_services
        for name in read_compute_service(service).policy.missing_budgets
    ]
    return f"the policy does not limit {', '.join(dict.fromkeys(missing))}" if missing else ""


def describe_leaving(service: "ComputeService") -> str:
    """Say how much one execution and one agreement can take out, and what no rule hides.

    For the largest server; the rules of another input may lower it. Empty if the service has no server, or if an older
    document describes one unreadably.
    """
    from insitu.domain.effective_policy import effective_policy

    policy = service.policy
    try:
        granted = [server.limits() for server in service.servers]
    except InsituError:
        return ""
    rules = [(effective_policy([("", policy)]).output_rules(limits), limits.log_bytes) for limits in granted]
    if not rules:
        return ""
    files = max(output.max_bytes for output, _ in rules)
    log = max(output.log_budget(captured) for output, captured in rules)
    text = f"{size(log)} of log text" if log else "no log text"
    return (
        f"one execution: at most {size(files)} in files and {text}\n"
        f"one agreement of {policy.max_executions} executions: at most {size(policy.max_executions * (files + log))}\n"
        "always visible: times, phases, reason codes"
    )
