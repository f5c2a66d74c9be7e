"""What an execution obeys: the rules of all its inputs, as they were bought and as they are now, in one table.

Terms of sale are the bought version's alone. Of a restriction the strictest holds: an owner can tighten it at any time,
and loosening it does not widen an old purchase.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal, TypeVar

from insitu.domain.file_types import common_types
from insitu.domain.ids import Address
from insitu.domain.plan import Limits, OutputRules
from insitu.domain.policy import (
    DEFAULT_MAX_EXECUTIONS,
    DEFAULT_MAX_FILES,
    Algorithm,
    Logs,
    Policy,
    Refusal,
    Revisions,
)

Rule = Callable[[Sequence[Policy]], Any]
Limit = TypeVar("Limit", bound=str)

LOGS: tuple[Logs, ...] = ("live", "after_review", "none")
REVISIONS: tuple[Revisions, ...] = ("always", "untilSuccess", "none")
"""Both from open to strict."""


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """The strictest of several policies. None means that nobody limits it.

    Attributes
    ----------
    policies
        (DID of the input, its policy) for every version that counts.
    failures
        ``free`` only if every input was sold so, with few enough bytes of log text.
    data
        ``pinned`` if the files of an input must be those of the version that was bought.
    parameters
        Names of the parameters that an execution may set, sorted.
    """

    policies: tuple[tuple[str, Policy], ...]
    max_executions: int
    failures: Literal["charged", "free"]
    data: Literal["newest", "pinned"]
    max_bytes: int | None
    max_files: int | None
    max_log_bytes: int | None
    types: tuple[str, ...] | None
    review: Literal["none", "manual"]
    logs: Logs
    revisions: Revisions
    parameters: tuple[str, ...]

    def refusals(self, algorithms: Sequence[Algorithm], consumer: Address) -> tuple[Refusal, ...]:
        """Return why these algorithms may not run for this consumer; empty if they may."""
        found = []
        for did, policy in self.policies:
            found += [
                _refuse_outdated(did, algorithm)
                if policy.trusts(algorithm)
                else Refusal(
                    code="AlgorithmNotAllowed",
                    did=did,
                    message=f"the policy of {did} does not allow {algorithm.shown}",
                )
                for algorithm in algorithms
                if not policy.allows(algorithm)
            ]
            found += _refusals_of(did, policy, consumer)
        return tuple(dict.fromkeys(found))

    def output_rules(self, limits: Limits) -> OutputRules:
        """Return the rules for the plan. The server's disk and log capture limit what no owner limits."""
        disk, log = limits.disk_bytes, limits.log_bytes
        return OutputRules(
            max_bytes=disk if self.max_bytes is None else min(self.max_bytes, disk),
            max_files=DEFAULT_MAX_FILES if self.max_files is None else min(self.max_files, DEFAULT_MAX_FILES),
            max_log_bytes=log if self.max_log_bytes is None else min(self.max_log_bytes, log),
            types=self.types,
            logs=self.logs,
            review=self.review,
        )


def effective_policy(
    bought: Sequence[tuple[str, Policy]], current: Sequence[tuple[str, Policy]] = ()
) -> EffectivePolicy:
    """Return what an execution obeys.

    Both have (DID, policy) of each input's compute service: in the version that was bought, and in the current one.
    """
    sold = [policy for _, policy in bought]
    every = [policy for _, policy in (*bought, *current)]
    merged = {name: rule(sold) for name, rule in TERMS_OF_SALE.items()}
    merged |= {name: rule(every) for name, rule in RESTRICTIONS.items()}
    return EffectivePolicy(policies=(*bought, *current), **merged)


def _refuse_outdated(did: str, algorithm: Algorithm) -> Refusal:
    detail = f"the policy of {did} trusts the publisher of {algorithm.shown}, but there is a newer version"
    return Refusal(code="AlgorithmOutdated", did=did, message=detail)


def _smallest(limits: Iterable[int | None]) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)


def _strictest(order: tuple[Limit, ...], values: Iterable[Limit]) -> Limit:
    """Return the strictest value; ``order`` goes from open to strict."""
    return max(values, key=order.index, default=order[0])


def _common_types(lists: Iterable[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    restricting = [types for types in lists if types is not None]
    return reduce(common_types, restricting, restricting[0]) if restricting else None


def _common_names(lists: Iterable[tuple[str, ...] | None]) -> tuple[str, ...]:
    named = [frozenset(names or ()) for names in lists]
    return tuple(sorted(frozenset.intersection(*named))) if named else ()


TERMS_OF_SALE: Mapping[str, Rule] = {
    "max_executions": lambda sold: min((policy.max_executions for policy in sold), default=DEFAULT_MAX_EXECUTIONS),
    "failures": lambda sold: "free" if sold and all(policy.failures_are_free for policy in sold) else "charged",
    "data": lambda sold: "pinned" if any(policy.data == "pinned" for policy in sold) else "newest",
}
"""From the bought versions of all inputs. Price, timeout and server are not in policies, but come from there too."""

RESTRICTIONS: Mapping[str, Rule] = {
    "max_bytes": lambda every: _smallest(policy.output.max_bytes for policy in every),
    "max_files": lambda every: _smallest(policy.output.max_files for policy in every),
    "max_log_bytes": lambda every: _smallest(policy.output.effective_log_bytes for policy in every),
    "types": lambda every: _common_types(policy.output.types for policy in every),
    "review": lambda every: "manual" if any(policy.review != "none" for policy in every) else "none",
    "logs": lambda every: _strictest(LOGS, (policy.effective_logs for policy in every)),
    "revisions": lambda every: _strictest(REVISIONS, (policy.revisions for policy in every)),
    "parameters": lambda every: _common_names(policy.parameters for policy in every),
}
"""The strictest of all versions; algorithms, publishers and consumers must fit each of them (``refusals``)."""


def _refusals_of(did: str, policy: Policy, consumer: Address) -> Iterable[Refusal]:
    if not policy.admits(consumer):
        yield Refusal(
            code="ConsumerNotAllowed", did=did, message=f"the policy of {did} does not list the consumer {consumer}"
        )
    if policy.review != "none":
        yield Refusal(code="ManualReviewNotSupported", did=did, message=f"the policy of {did} asks for manual review")
    for pointer in policy.not_understood:
        message = f"the policy of {did} has the rule {pointer}, which this version of insitu cannot obey"
        yield Refusal(code="PolicyNotUnderstood", did=did, message=message)
