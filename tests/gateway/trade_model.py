"""A model of data sets, an algorithm, a workflow and purchases: what a gateway has to permit, and why not.

It reads policies as owners write them, with names in place of addresses, and shares no code with the product.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

LOGS = ("live", "after_review", "none")
REVISIONS = ("always", "untilSuccess", "none")
LOG_BYTES_OF_LIMITED_FILES = 64 * 1024
LOG_BYTES_OF_FREE_FAILURES = 16 * 1024


@dataclass(frozen=True)
class Offer:
    """What one version of a data set says: its price, its rules, and its file."""

    price: int
    policy: dict[str, Any]
    file: str
    digest: str | None = None


@dataclass
class Owned:
    """Something that is registered: who made it, who owns it now, and who registered which version."""

    did: str
    creator: str
    owner: str
    current: str
    registrants: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.registrants[self.current] = self.creator

    def register(self, checksum: str) -> None:
        self.current = checksum
        self.registrants[checksum] = self.owner


@dataclass
class Data(Owned):
    """A data set. ``provided`` says whether the gateway is its provider."""

    offer: Offer = field(kw_only=True)
    provided: bool = True
    retired: bool = False


@dataclass(frozen=True)
class Work:
    """A version of the workflow: who registered it, which version of which algorithm runs, and what it reads."""

    number: int
    checksum: str
    registrant: str
    script: Owned
    version: str
    reads: tuple[str, ...]


@dataclass
class Purchase:
    """An agreement as it was made: whose, the workflow's version, the offers by data set, and who is paid what."""

    consumer: str
    agreement: Any
    terms: Any
    work: Work
    offers: dict[str, Offer]
    shares: Counter[str]
    used: set[tuple[str, str]] = field(default_factory=set)
    successes: int = 0
    owes: bool = False
    """Whether an execution failed in a way that costs the price if none succeeds."""
    returned: bool = False
    """Whether the price went back because an owner removed the gateway as a provider."""

    @property
    def total(self) -> int:
        return self.shares.total()

    @property
    def max_executions(self) -> int:
        return min(int(offer.policy["maxExecutions"]) for offer in self.offers.values())

    @property
    def failures(self) -> str:
        return "free" if all(map(fails_freely, (offer.policy for offer in self.offers.values()))) else "charged"


@dataclass(frozen=True)
class Rules:
    """All rules that count at once."""

    policies: tuple[dict[str, Any], ...]

    def refusals(self, script: Owned, version: str, consumer: str, *, current: bool) -> Iterator[str]:
        """Why this version may not run for this consumer."""
        answering = {script.creator, script.registrants[version]}
        for policy in self.policies:
            trusted, algorithms = set(policy.get("publishers", ())), policy["algorithms"]
            listed = () if algorithms == "any" else [(entry["did"], entry["checksum"]) for entry in algorithms]
            trusts = answering <= trusted
            if not (algorithms == "any" and not trusted) and (script.did, version) not in listed:
                if not trusts:
                    yield "AlgorithmNotAllowed"
                elif not current:
                    yield "AlgorithmOutdated"
            if policy["consumers"] != "any" and consumer not in policy["consumers"]:
                yield "ConsumerNotAllowed"

    @property
    def revisions(self) -> str:
        return max((str(policy["revisions"]) for policy in self.policies), key=REVISIONS.index)

    @property
    def parameters(self) -> set[str]:
        return set.intersection(*(set(policy["parameters"]) for policy in self.policies))

    @property
    def logs(self) -> str:
        return max((str(policy["logs"]) for policy in self.policies), key=LOGS.index)

    @property
    def types(self) -> set[str] | None:
        stated = [set(policy["output"]["types"]) for policy in self.policies if "types" in policy["output"]]
        return set.intersection(*stated) if stated else None

    def smallest(self, limit: str, otherwise: int) -> int:
        """The smallest limit of this name that an owner states."""
        return min([otherwise, *(int(policy["output"].get(limit, otherwise)) for policy in self.policies)])

    def log_bytes(self, otherwise: int) -> int:
        limits = (_log_bytes(policy) for policy in self.policies)
        return min([otherwise, *(limit for limit in limits if limit is not None)])

    @property
    def effect(self) -> tuple[object, ...]:
        """All that these rules limit, to compare it with that of other rules."""
        limits = [self.smallest(name, 10_000_000) for name in ("maxBytes", "maxFiles")]
        return (*limits, self.log_bytes(10_000_000), self.logs, self.types, self.revisions, self.parameters)


def purchase_refusals(work: Work, data: dict[str, Data], consumer: str) -> set[str]:
    """Why a workflow cannot be bought now; empty if it can."""
    found = {"NotDIDProvider" for entry in data.values() if not entry.provided}
    found |= {"AssetRetired" for entry in data.values() if entry.retired}
    rules = Rules(tuple(entry.offer.policy for entry in data.values()))
    current = work.script.current == work.version
    return found | set(rules.refusals(work.script, work.version, consumer, current=current))


def rules_of(bought: Purchase, data: dict[str, Data]) -> Rules:
    """What an execution obeys: what every owner said when it was bought, and what every owner says now."""
    return Rules(
        (*(offer.policy for offer in bought.offers.values()), *(entry.offer.policy for entry in data.values()))
    )


def execution_refusals(bought: Purchase, work: Work, data: dict[str, Data], parameters: Iterable[str]) -> set[str]:
    """Why this version of the workflow may not run under a purchase now; empty if it has to run."""
    rules = rules_of(bought, data)
    found = {"NotDIDProvider" for entry in data.values() if not entry.provided}
    found |= {
        "InputChanged"
        for did, offer in bought.offers.items()
        if offer.policy["data"] == "pinned" and offer.digest != data[did].offer.digest
    }
    current = work.script.current == work.version or (work.script.did, work.version) in bought.used
    found |= set(rules.refusals(work.script, work.version, bought.consumer, current=current))
    if work != bought.work:
        forbidden = rules.revisions == "none" or (rules.revisions == "untilSuccess" and bought.successes > 0)
        if forbidden or work.number < bought.work.number or work.registrant != bought.consumer:
            found.add("RevisionNotAllowed")
        if work.reads != bought.work.reads:
            found.add("RevisionChangesPurchase")
        if found & {"NotDIDProvider", "InputChanged"}:
            found.add("NoSuitableServer")  # of inputs that cannot be used, no server can be chosen
    if not set(parameters) <= rules.parameters:
        found.add("ParameterNotAllowed")
    if bought.successes >= bought.max_executions:
        found.add("ExecutionLimitReached")
    return found


def fails_freely(policy: dict[str, Any]) -> bool:
    """Whether a policy makes failures free, and lets so little of them out that it can."""
    limit = _log_bytes(policy)
    short = policy["logs"] == "none" or (limit is not None and limit <= LOG_BYTES_OF_FREE_FAILURES)
    return policy["failures"] == "free" and short


def _log_bytes(policy: dict[str, Any]) -> int | None:
    output = policy["output"]
    if "maxBytes" in output:
        return min(int(output["maxBytes"]), LOG_BYTES_OF_LIMITED_FILES)
    return LOG_BYTES_OF_LIMITED_FILES if "types" in output else None
