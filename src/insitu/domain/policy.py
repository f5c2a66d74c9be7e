"""The data owner's rules: which algorithms may run, for whom, what may leave, who may watch, and how often.

What an execution obeys if there are several inputs and versions is in :mod:`insitu.domain.effective_policy`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, JsonValue

from insitu.domain.canonical import escape_pointer
from insitu.domain.document import Document, Whole
from insitu.domain.errors import InsituError, Violation
from insitu.domain.ids import Address, read_address
from insitu.domain.wire import WireModel

POLICY_VERSION = 1
"""The version that this system writes, and the only one that it can obey."""

DEFAULT_MAX_EXECUTIONS = 100
DEFAULT_MAX_FILES = 10_000
WRITTEN_MAX_FILES = 100
DEFAULT_MAX_LOG_BYTES = 64 * 1024
"""For an owner who limits the bytes or the types of files and does not mention logs."""

WRITTEN_MAX_LOG_BYTES = 16 * 1024 * 1024
"""For an owner who limits nothing: as much as the runtime keeps of what one attempt prints."""
FREE_FAILURE_LOG_BYTES = 16 * 1024
"""The most log text with which failures can be free: otherwise one prints the result, fails, and pays nothing."""
MOST_UNKNOWN = 100
"""Unknown members that are named, and characters of each name: a hostile document must not cause a huge answer."""

ANY: Literal["any"] = "any"
APPROVED: Literal["approved"] = "approved"

Logs: TypeAlias = Literal["live", "after_review", "none"]
Revisions: TypeAlias = Literal["none", "untilSuccess", "always"]


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

    max_bytes: Annotated[Whole, Field(ge=0)] | None = None
    max_files: Annotated[Whole, Field(ge=0)] | None = None
    max_log_bytes: Annotated[Whole, Field(ge=0)] | None = None
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
        Addresses whose algorithms are trusted, each in its current version (ADR 0120).
    version
        Of the rules' meaning. Nothing runs under a version or a member that is unknown here (``not_understood``).
    consumers
        Who may buy and execute: ``any``, or the accounts listed. ``approved``, by the owner and one by one, is kept for
        later.
    use
        What the data may be used for, in the owner's words. Whoever buys is shown them, and their hash is in the terms.
    review
        ``manual`` holds every output until a person decides. An object is kept for later.
    logs
        Whether the consumer sees the algorithm's logs while it runs; by default live if nothing is reviewed.
    revisions
        Whether another version of the bought workflow may run: never, until an execution succeeded, or always.
    parameters
        Names of the parameters that an execution may set; none if it is absent.
    failures
        Whether the price is due at the end of an agreement in which nothing succeeded.
    data
        ``newest``: an execution reads the files of the current version. ``pinned``: those of the bought one, or none.
    max_executions
        Executions per agreement.
    """

    version: Whole = POLICY_VERSION
    algorithms: Literal["any"] | tuple[AlgorithmReference, ...] | None = None
    publishers: tuple[AddressText, ...] = ()
    consumers: Literal["any", "approved"] | tuple[AddressText, ...] = ANY
    use: str | None = None
    output: OutputPolicy = OutputPolicy()
    review: Literal["none", "manual"] | dict[str, JsonValue] = "none"
    logs: Logs | None = None
    revisions: Revisions = "none"
    parameters: tuple[str, ...] | None = None
    failures: Literal["charged", "free"] = "charged"
    data: Literal["newest", "pinned"] = "newest"
    max_executions: Annotated[Whole, Field(ge=1)] = DEFAULT_MAX_EXECUTIONS

    @property
    def allows_any(self) -> bool:
        """Whether every algorithm may run. Naming publishers restricts, even together with ``any``."""
        return not self.publishers and (self.algorithms is None or self.algorithms == ANY)

    @property
    def effective_logs(self) -> Logs:
        """``logs`` or its default."""
        return self.logs or ("live" if self.review == "none" else "after_review")

    @property
    def failures_are_free(self) -> bool:
        """Whether failures are free, and so little of them reaches the consumer that they can be."""
        log = self.output.effective_log_bytes
        short = self.effective_logs == "none" or (log is not None and log <= FREE_FAILURE_LOG_BYTES)
        return self.failures == "free" and short

    @property
    def not_understood(self) -> tuple[str, ...]:
        """JSON pointers in this policy to what this system cannot obey, so that nothing may run under it."""
        kept = {"/version": self.version != POLICY_VERSION, "/consumers": self.consumers == APPROVED}
        listed = self.algorithms if isinstance(self.algorithms, tuple) else ()
        parts = [("", self), ("/output", self.output)]
        parts += [(f"/algorithms/{at}", reference) for at, reference in enumerate(listed)]
        unknown = (pointer for place, part in parts for pointer in _unknown_members(place, part))
        return (*(pointer for pointer, refused in kept.items() if refused), *islice(unknown, MOST_UNKNOWN))

    @property
    def missing_budgets(self) -> tuple[str, ...]:
        """JSON names of the limits that this policy does not state, so that a default holds, or the server's size."""
        stated = {
            "maxBytes": self.output.max_bytes is not None,
            "maxFiles": self.output.max_files is not None,
            "maxLogBytes": self.output.effective_log_bytes is not None or self.effective_logs == "none",
            "maxExecutions": "max_executions" in self.model_fields_set,
        }
        return tuple(name for name, is_stated in stated.items() if not is_stated)

    def admits(self, consumer: Address) -> bool:
        """Return whether this consumer may buy and execute, as far as this system can say (``not_understood``)."""
        return isinstance(self.consumers, str) or consumer.lower() in map(str.lower, self.consumers)

    def allows(self, algorithm: "Algorithm") -> bool:
        """Return whether this version of this algorithm may run."""
        if self.allows_any or (algorithm.current and self.trusts(algorithm)):
            return True
        listed = self.algorithms if isinstance(self.algorithms, tuple) else ()
        return any(
            reference.did == algorithm.did and _digits(reference.checksum) == _digits(algorithm.checksum)
            for reference in listed
        )

    def trusts(self, algorithm: "Algorithm") -> bool:
        """Return whether both the algorithm's creator and who registered this version are trusted publishers.

        One of them is not enough: an account that buys a trusted algorithm's DID registers other code under it.
        """
        trusted = {publisher.lower() for publisher in self.publishers}
        return {algorithm.publisher.lower(), algorithm.registrant.lower()} <= trusted


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One version of an algorithm that somebody wants to run.

    An algorithm that is not published yet has no DID and no checksum, only the account that would publish it.

    Attributes
    ----------
    checksum
        On-chain checksum of this version's DDO.
    publisher
        The creator, from whom the DID derives.
    registrant
        Who registered this version.
    current
        Whether it is the registry's current version, or was when it first ran under the agreement.
    """

    did: str
    checksum: str
    publisher: Address
    registrant: Address
    current: bool = True

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


def _unknown_members(place: str, part: Document) -> Iterator[str]:
    for name in part.model_extra or {}:
        yield f"{place}/{escape_pointer(name[:MOST_UNKNOWN])}"


def _digits(checksum: str) -> str:
    return checksum.lower().removeprefix("0x")
