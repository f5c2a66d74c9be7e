"""The data owner's rules: which algorithms may run, what may leave, who may watch, and how often.

An execution obeys the strictest of the policies of all its inputs, each in the purchased and in the current version: an
owner can tighten a rule at any time, and loosening a rule does not widen an old purchase.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from insitu.domain.document import Document
from insitu.domain.errors import InsituError, Violation
from insitu.domain.file_types import common_types
from insitu.domain.ids import Address, read_address
from insitu.domain.plan import Limits, OutputRules
from insitu.domain.wire import WireModel

DEFAULT_MAX_EXECUTIONS = 100
DEFAULT_MAX_FILES = 10_000
WRITTEN_MAX_FILES = 100
DEFAULT_MAX_LOG_BYTES = 64 * 1024
"""For an owner who limits the bytes or the types of files and does not mention logs."""

ANY: Literal["any"] = "any"
_LOGS_BY_STRICTNESS: tuple[Literal["live", "after_review", "none"], ...] = ("live", "after_review", "none")


def _address(text: str) -> str:
    try:
        return read_address(text)
    except InsituError as error:
        raise ValueError(error.detail) from None


AddressText = Annotated[str, AfterValidator(_address)]


class AlgorithmReference(Document):
    """An algorithm that the owner allows, in exactly one version."""

    did: str
    checksum: str
    """On-chain checksum of the algorithm's DDO: 64 hex digits."""


class OutputPolicy(Document):
    """Limits on what may leave. This owner does not limit what is absent.

    Attributes
    ----------
    max_bytes
        Bytes of all files and of their paths (UTF-8).
    max_files
        Number of files. New documents say ``WRITTEN_MAX_FILES``; an old one without it means ``DEFAULT_MAX_FILES``.
    """

    max_bytes: Annotated[int, Field(ge=0)] | None = None
    max_files: Annotated[int, Field(ge=0)] | None = None
    max_log_bytes: Annotated[int, Field(ge=0)] | None = None
    """Bytes of text that one execution may show as log; see ``effective_log_bytes``."""
    types: tuple[str, ...] | None = None
    """File name suffixes that may leave, with or without their dot, in any case; see ``domain.file_types``."""

    @property
    def effective_log_bytes(self) -> int | None:
        """``max_log_bytes`` or its default; None if this owner does not limit it.

        If the bytes or the types of files are limited, logs must not be a way around that. A limit on the number of
        files alone does not limit bytes, so it does not limit logs either.
        """
        if self.max_log_bytes is not None or (self.max_bytes is None and self.types is None):
            return self.max_log_bytes
        return DEFAULT_MAX_LOG_BYTES if self.max_bytes is None else min(self.max_bytes, DEFAULT_MAX_LOG_BYTES)


class Policy(Document):
    """``main.policy`` of a compute service. An absent policy allows any algorithm, as in the specification.

    Attributes
    ----------
    algorithms
        ``any``, or the algorithms that may run. If it is absent and there are ``publishers``, only theirs may.
    publishers
        Addresses whose algorithms are trusted in every version.
    review
        ``manual`` holds every output until a person decides.
    logs
        Whether the consumer sees the algorithm's logs while it runs; by default live if nothing is reviewed.
    max_executions
        Executions per agreement.
    """

    algorithms: Literal["any"] | tuple[AlgorithmReference, ...] | None = None
    publishers: tuple[AddressText, ...] = ()
    output: OutputPolicy = OutputPolicy()
    review: Literal["none", "manual"] = "none"
    logs: Literal["live", "after_review", "none"] | None = None
    max_executions: Annotated[int, Field(ge=1)] = DEFAULT_MAX_EXECUTIONS

    @property
    def allows_any(self) -> bool:
        """Whether every algorithm may run. Naming publishers restricts, even together with ``any``."""
        return not self.publishers and (self.algorithms is None or self.algorithms == ANY)

    @property
    def effective_logs(self) -> Literal["live", "after_review", "none"]:
        """``logs`` or its default."""
        return self.logs or ("live" if self.review == "none" else "after_review")

    def allows(self, algorithm: "Algorithm") -> bool:
        """Return whether this version of this algorithm may run."""
        if self.allows_any or algorithm.publisher.lower() in {publisher.lower() for publisher in self.publishers}:
            return True
        listed = self.algorithms if isinstance(self.algorithms, tuple) else ()
        return any(
            reference.did == algorithm.did and _digits(reference.checksum) == _digits(algorithm.checksum)
            for reference in listed
        )


@dataclass(frozen=True, slots=True)
class Algorithm:
    """An algorithm that somebody wants to run: its DID, the on-chain checksum of its DDO, the creator of its DID.

    An algorithm that is not published yet has no DID and no checksum, only the account that would publish it.
    """

    did: str
    checksum: str
    publisher: Address

    @property
    def shown(self) -> str:
        """The algorithm, in words."""
        if not self.did:
            return f"a new algorithm of {self.publisher}"
        return f"{self.did} at checksum {self.checksum}"


class Refusal(WireModel):
    """One reason why something may not run: the rule's code, the asset, and a sentence."""

    code: str
    did: str
    message: str


class Verdict(WireModel):
    """What the owners' rules say about a workflow: allowed, or all the reasons against it."""

    allowed: bool
    reasons: tuple[Refusal, ...] = ()

    @classmethod
    def of(cls, reasons: Iterable[Refusal]) -> "Verdict":
        """Return a verdict that allows if there are no reasons against it. Each reason is listed once."""
        distinct = tuple(dict.fromkeys(reasons))
        return cls(allowed=not distinct, reasons=distinct)

    def require(self) -> None:
        """Refuse unless allowed. Raises the code of the first reason, with every reason among the problems."""
        if self.allowed:
            return
        first = self.reasons[0]
        problems = [Violation(pointer="", code=reason.code, message=reason.message) for reason in self.reasons]
        raise InsituError(first.code, first.message, problems=problems, did=first.did)


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """The strictest of several policies. None means that nobody limits it."""

    policies: tuple[tuple[str, Policy], ...]
    """(DID of the input, its policy) for every version that counts."""
    max_bytes: int | None
    max_files: int | None
    max_log_bytes: int | None
    types: tuple[str, ...] | None
    review: Literal["none", "manual"]
    logs: Literal["live", "after_review", "none"]
    max_executions: int

    def refusals(self, algorithms: Sequence[Algorithm]) -> tuple[Refusal, ...]:
        """Return why these algorithms may not run; empty if they may."""
        found = [
            Refusal(
                code="AlgorithmNotAllowed",
                did=did,
                message=f"the policy of {did} does not allow {algorithm.shown}",
            )
            for did, policy in self.policies
            for algorithm in algorithms
            if not policy.allows(algorithm)
        ]
        found += [
            Refusal(code="ManualReviewNotSupported", did=did, message=f"the policy of {did} asks for manual review")
            for did, policy in self.policies
            if policy.review == "manual"
        ]
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


def effective_policy(policies: Sequence[tuple[str, Policy]]) -> EffectivePolicy:
    """Return the strictest rules of all inputs and versions.

    ``policies`` has (DID, policy) of each input's compute service, in the purchased version and in the current one.
    """
    rules = [policy for _, policy in policies]
    return EffectivePolicy(
        policies=tuple(policies),
        max_bytes=_smallest(rule.output.max_bytes for rule in rules),
        max_files=_smallest(rule.output.max_files for rule in rules),
        max_log_bytes=_smallest(rule.output.effective_log_bytes for rule in rules),
        types=_common_types(rule.output.types for rule in rules),
        review="manual" if any(rule.review == "manual" for rule in rules) else "none",
        logs=max((rule.effective_logs for rule in rules), key=_LOGS_BY_STRICTNESS.index, default="live"),
        max_executions=min((rule.max_executions for rule in rules), default=DEFAULT_MAX_EXECUTIONS),
    )


def _smallest(limits: Iterable[int | None]) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)


def _common_types(lists: Iterable[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    restricting = [types for types in lists if types is not None]
    return reduce(common_types, restricting, restricting[0]) if restricting else None


def _digits(checksum: str) -> str:
    return checksum.lower().removeprefix("0x")
