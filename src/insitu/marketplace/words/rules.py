"""The owner's rules in sentences: what happens next to the data, and what may leave."""

from collections.abc import Iterator
from dataclasses import dataclass

from insitu.domain.compute_service import ComputeService, Server
from insitu.domain.effective_policy import effective_policy
from insitu.domain.errors import InsituError
from insitu.domain.offered_rules import ANY_ALGORITHM, NO_ALGORITHM, PUBLISHERS, may_run
from insitu.domain.plan import Limits, OutputRules
from insitu.domain.policy import APPROVED, AlgorithmReference, Policy
from insitu.marketplace.hostile import shown
from insitu.marketplace.words.parts import (
    Account,
    Named,
    Part,
    Quoted,
    Sentence,
    Strong,
    counted,
    joined,
    naming,
    short_size,
    spoken,
)

MOST_SERVERS = 3
"""Servers whose limits are sentences among the rules; all of them are listed beside the rules."""

NOBODY_READS = "Checked by rules, at once. No person reads it first."
SEALED = "Sealed: no network, no other files; the data are read-only."
VISIBLE = "Always visible to who runs it: times, phases and codes of reasons."


@dataclass(frozen=True, slots=True)
class Fact:
    """A few words, and a few more below them."""

    head: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Gate:
    """A data set in three facts: what may run, what may leave, what it costs."""

    run: Fact
    leave: Fact
    costs: Fact


@dataclass(frozen=True, slots=True)
class Rules:
    """The wall: sentences about what happens next to the data, and about what may leave."""

    inside: tuple[Sentence, ...]
    leaving: tuple[Sentence, ...]


def rules_of(service: ComputeService) -> Rules:
    """Return the rules of a compute service in sentences."""
    return Rules(tuple(_inside(service)), tuple(_leaving(service)))


def runs_in_short(service: ComputeService) -> Fact:
    """Return what may run, for a list."""
    policy, runs = service.policy, may_run(service)
    listed = _listed(policy)
    if runs == (ANY_ALGORITHM,):
        return Fact("Any algorithm", "the limits alone protect the data")
    if runs == (NO_ALGORITHM,):
        allows = policy.allows_any or policy.publishers or listed
        return Fact("Nothing yet", "a rule or an image is missing here" if allows else "the owner allows no algorithm")
    if PUBLISHERS in runs:
        more = f"and {counted(len(listed), 'algorithm')} in one version" if listed else "each in its newest version"
        return Fact(f"Algorithms of {counted(len(policy.publishers), 'publisher')}", more)
    return Fact(
        counted(len(listed), "algorithm"), "in one exact version" if len(listed) == 1 else "each in one version"
    )


def leaves_in_short(service: ComputeService) -> Fact:
    """Return what may leave, for a list."""
    policy, output = service.policy, output_of(service)
    if output is None:
        return Fact("Nothing", "no server can run it")
    kinds = _kinds(policy)
    names = ", ".join(kinds[:5]) + (f" and {len(kinds) - 5} more" if len(kinds) > 5 else "")
    head = "Any kind of file" if policy.output.types is None else names or "No file"
    log = {"live": "log live", "none": "no log"}.get(policy.effective_logs, "log after a review")
    return Fact(head, f"{_most(output)} at most; {log}" if head != "No file" else log)


def output_of(service: ComputeService) -> OutputRules | None:
    """Return the output rules that hold on the largest server; None if no server is readable."""
    limits = _limits(service)
    if not limits:
        return None
    largest = max(limits, key=lambda granted: granted.disk_bytes)
    return effective_policy([("", service.policy)]).output_rules(largest)


def machine(server: Server) -> str:
    """Return what a server offers: ``1 core, 1.5 GB memory, 500 MB disk``; its own words if they are unreadable."""
    try:
        cores, memory, disk = server.millicores / 1000, short_size(server.memory_bytes), short_size(server.disk_bytes)
        gpus = server.gpus
    except InsituError:
        cpu, memory, disk = (shown(text, 40) for text in (server.cpu, server.memory, server.disk))
        return f"{cpu} cores, {memory} memory, {disk} disk"
    parts = [f"{cores:g} {'core' if cores == 1 else 'cores'}", f"{memory} memory", f"{disk} disk"]
    return ", ".join([*parts, f"{counted(gpus, 'GPU')}"] if gpus else parts)


def _inside(service: ComputeService) -> Iterator[Sentence]:
    policy = service.policy
    yield tuple(_algorithms(policy))
    yield (SEALED,)
    yield (f"At most {counted(policy.max_executions, 'execution')} for each agreement.",)
    for server in service.servers[:MOST_SERVERS]:
        longest = f"At most {spoken(server.max_execution_time)}, " if server.max_execution_time else ""
        yield (longest + machine(server) + " (server ", Quoted(server.server_id or "without a name"), ").")
    yield from _consumers(policy)
    if policy.use:
        yield ("May be used for: ", Quoted(policy.use))
    yield from _changes(policy)
    yield from _obstacles(service)


def _algorithms(policy: Policy) -> Iterator[Part]:
    listed = [Named(reference.did) for reference in _listed(policy)]
    publishers = [Account(address) for address in policy.publishers]
    if policy.allows_any:
        yield from (Strong("Any algorithm."), " The limits alone protect the data.")
        return
    if not listed and not publishers:
        yield from (Strong("No algorithm."), " Nothing runs until the owner allows one.")
        return
    if publishers:
        of = "one publisher" if len(publishers) == 1 else f"{len(publishers):,} publishers"
        yield from (Strong(f"Algorithms of {of}"), ", each in its newest version: ", *naming(publishers), ".")
    if listed:
        yield from (" And " if publishers else "", Strong(counted(len(listed), "algorithm")))
        yield from (", each in one exact version: " if len(listed) > 1 else ", in one exact version: ", *naming(listed))
        yield "."
    yield " Nobody else’s." if publishers else " No other."


def _consumers(policy: Policy) -> Iterator[Sentence]:
    if policy.consumers == APPROVED:
        yield (Strong("Nobody yet may buy"), ": the owner wants to approve each consumer, which is not possible here.")
    elif isinstance(policy.consumers, str):
        yield ("Anybody may buy.",)
    elif not policy.consumers:
        yield (Strong("Nobody may buy."),)
    else:
        listed = [Account(address) for address in policy.consumers]
        yield (Strong(f"Only {counted(len(listed), 'account')} may buy"), ": ", *naming(listed), ".")


def _changes(policy: Policy) -> Iterator[Sentence]:
    """Say what may be different in a later execution of an agreement."""
    yield {
        "none": ("Only the workflow that was bought runs.",),
        "untilSuccess": ("The workflow may be corrected until an execution succeeds.",),
        "always": ("The workflow may be changed at any time.",),
    }[policy.revisions]
    if policy.parameters:
        yield ("Each execution may set ", *naming([Quoted(name) for name in policy.parameters]), ".")
    if policy.data == "pinned":
        yield ("Each execution reads the files that were bought, and ends if one of them has changed.",)
    else:
        yield ("Each execution reads the newest files.",)


def _obstacles(service: ComputeService) -> Iterator[Sentence]:
    """Say why nothing can run, if so."""
    if unknown := service.policy.not_understood:
        rule = "rule" if len(unknown) == 1 else "rules"
        quoted = naming([Quoted(pointer) for pointer in unknown])
        yield (Strong("Nothing runs"), f" while the document has the {rule} ", *quoted, ", unknown here.")
    if not service.containers:
        yield (Strong("Nothing runs"), " until the owner names an image.")
    if not service.servers:
        yield (Strong("Nothing runs"), " until the owner names a server.")


def _leaving(service: ComputeService) -> Iterator[Sentence]:
    policy, output = service.policy, output_of(service)
    if output is not None:
        kinds = _kinds(policy)
        if policy.output.types is None:
            yield (Strong("Any kind of file"), f", {_most(output)} at most. If a rule is broken, nothing leaves.")
        elif not kinds:
            yield (Strong("No file."), " The rules allow no type.")
        else:
            yield (Strong(f"{joined(kinds)} files"), f", {_most(output)} at most. If a rule is broken, nothing leaves.")
    yield _log(policy, output)
    yield (NOBODY_READS if policy.review == "none" else "A person must read it first. Nothing runs here until then.",)
    if output is not None and policy.max_executions > 1:
        total = policy.max_executions * (output.max_bytes + _log_bytes(service))
        yield (f"All executions of an agreement together: {short_size(total)} at most.",)
    yield (Strong("Never the data set."), " There is no download.")
    yield (VISIBLE,)


def _log(policy: Policy, output: OutputRules | None) -> Sentence:
    if policy.effective_logs == "none" or (output is not None and output.max_log_bytes == 0):
        return (Strong("No log."),)
    most = f", {short_size(output.max_log_bytes)} at most" if output is not None and output.max_log_bytes else ""
    if policy.effective_logs == "live":
        return (f"The log, live while it runs{most}.",)
    return (f"The log, after a review{most}.",)


def _log_bytes(service: ComputeService) -> int:
    output = output_of(service)
    return max((output.log_budget(granted.log_bytes) for granted in _limits(service)), default=0) if output else 0


def _most(output: OutputRules) -> str:
    return f"{short_size(output.max_bytes)} in {counted(output.max_files, 'file')}"


def _kinds(policy: Policy) -> list[str]:
    """Return the types that may leave, without their dots and declarations, each once."""
    kinds = (kind.partition("=")[0].removeprefix(".") for kind in policy.output.types or ())
    return list(dict.fromkeys(shown(kind, 40) for kind in kinds))


def _listed(policy: Policy) -> tuple[AlgorithmReference, ...]:
    return policy.algorithms if isinstance(policy.algorithms, tuple) else ()


def _limits(service: ComputeService) -> list[Limits]:
    try:
        return [server.limits() for server in service.servers]
    except InsituError:
        return []
