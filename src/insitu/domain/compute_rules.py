"""Strict rules of a compute service, with a violation for each broken one."""

from collections.abc import Callable, Sequence

from insitu.domain.agreement_times import MAX_TIMEOUT
from insitu.domain.checks import Checker
from insitu.domain.compute_service import ComputeService, Container, Server, read_compute_service
from insitu.domain.conditions import (
    CONDITIONS,
    ESCROW_REWARD,
    EXEC_COMPUTE,
    HANDLER_VERSION,
    HANDLERS,
    LOCK_REWARD,
    TEMPLATE,
    AgreementTemplate,
    Condition,
    ConditionEvent,
    ConditionKind,
    condition_key,
    condition_name,
)
from insitu.domain.did import is_complete_did
from insitu.domain.errors import InsituError
from insitu.domain.file_types import type_problem
from insitu.domain.ids import Address, read_address
from insitu.domain.policy import FREE_FAILURE_LOG_BYTES, AlgorithmReference, Policy
from insitu.domain.service import File, Service, sha256_of
from insitu.domain.timestamps import is_document_time

MAX_ENTRIES = 1000
"""The most servers, containers, or entries of a list in the policy of one service."""
MAX_USE = 4096
"""The most characters of the text that says what the data may be used for."""


def check_compute_service(service: Service, checker: Checker) -> None:
    """Check a service of type compute. ``checker`` stands at the service's entry in the DDO."""
    try:
        compute = read_compute_service(service, checker.pointer)
    except InsituError as error:
        checker.include(error)
        return
    main = checker.at("attributes", "main")
    if compute.creator is not None:
        check_address(compute.creator, main.at("creator"))
    if compute.date_published is not None:
        main.at("datePublished").require(
            is_document_time(compute.date_published), "WrongFormat", "a time like 2019-04-09T19:02:11Z is needed"
        )
    main.at("price").require("price" in service.main, "Required", "a compute service has a price, even if it is 0")
    main.at("timeout").require(
        0 < compute.timeout <= MAX_TIMEOUT, "OutOfRange", f"timeout is 1 to {MAX_TIMEOUT} seconds"
    )
    _check_environment(compute, main.at("provider", "environment"))
    _check_policy(compute.policy, main.at("policy"))
    _check_template(service, compute, main.at("serviceAgreementTemplate"))
    _check_times(compute, main)


def check_new_compute_service(service: Service, files: Sequence[File], checker: Checker) -> None:
    """Check what older documents may say and new ones may not. The service must be readable.

    ``files`` are those of the data set, and ``checker`` stands at the service's entry in the DDO.
    """
    policy, rules = read_compute_service(service, checker.pointer).policy, checker.at("attributes", "main", "policy")
    if policy.logs == "after_review":
        rules.at("logs").report("ManualReviewNotSupported", "there is no review yet, so logs are live or none")
    for pointer in policy.not_understood:
        rules.below(pointer).report("PolicyNotUnderstood", f"this version of insitu cannot obey the rule {pointer}")
    rules.at("data").require(
        policy.data == "newest" or all(file.sha256 is not None for file in files),
        "Contradiction",
        "data can only be pinned if the description of each file has its SHA-256",
    )
    rules.at("failures").require(
        policy.failures == "charged" or policy.failures_are_free,
        "Contradiction",
        f"failures can only be free where logs are none, or maxLogBytes is at most {FREE_FAILURE_LOG_BYTES}",
    )


def _check_environment(compute: ComputeService, checker: Checker) -> None:
    for name, entries in (("supportedContainers", compute.containers), ("supportedServers", compute.servers)):
        if not checker.at(name).require(len(entries) <= MAX_ENTRIES, "TooMany", f"at most {MAX_ENTRIES} entries"):
            return
    for i, container in enumerate(compute.containers):
        check_container(container, checker.at("supportedContainers", i))
    servers = checker.at("supportedServers")
    servers.require(bool(compute.servers), "Required", "at least one server is needed")
    seen: set[str] = set()
    for i, server in enumerate(compute.servers):
        _check_server(server, servers.at(i))
        if server.server_id is not None:
            servers.at(i, "serverId").require(server.server_id not in seen, "Duplicate", "two servers have this id")
            seen.add(server.server_id)


def check_container(container: Container, checker: Checker) -> None:
    """Check that an image has a name and the digest of its manifest."""
    checker.at("image").require(bool(container.image), "Required", "the image needs a name")
    checker.at("checksum").require(
        container.digest is not None, "WrongFormat", "sha256: and the 64 hex digits of the manifest's digest"
    )


def _check_server(server: Server, checker: Checker) -> None:
    checker.at("serverId").require(bool(server.server_id), "Required", "a server needs an id")
    quantities: tuple[tuple[str, Callable[[], int], int], ...] = (
        ("cpu", lambda: server.millicores, 1),
        ("gpu", lambda: server.gpus, 0),
        ("memory", lambda: server.memory_bytes, 1),
        ("disk", lambda: server.disk_bytes, 1),
    )
    for name, read, least in quantities:
        try:
            checker.at(name).require(read() >= least, "OutOfRange", f"at least {least} is needed")
        except InsituError as error:
            checker.at(name).report("WrongFormat", error.detail)
    checker.at("maxExecutionTime").require(
        0 < server.max_execution_time <= MAX_TIMEOUT, "OutOfRange", f"maxExecutionTime is 1 to {MAX_TIMEOUT} seconds"
    )


def _check_policy(policy: Policy, checker: Checker) -> None:
    algorithms = checker.at("algorithms")
    if isinstance(policy.algorithms, tuple):
        algorithms.require(len(policy.algorithms) <= MAX_ENTRIES, "TooMany", f"at most {MAX_ENTRIES} entries")
        for i, reference in enumerate(policy.algorithms[:MAX_ENTRIES]):
            _check_reference(reference, algorithms.at(i))
    elif policy.algorithms is not None and policy.publishers:
        algorithms.report("Contradiction", "allow any algorithm, or those of the named publishers, but not both")
    for i, text in enumerate(policy.output.types or ()):
        problem = type_problem(text)
        checker.at("output", "types", i).require(problem is None, "WrongFormat", problem or "")
    rules = (
        ("publishers", policy.publishers),
        ("consumers", policy.consumers),
        ("parameters", policy.parameters or ()),
    )
    for name, entries in rules:
        checker.at(name).require(len(entries) <= MAX_ENTRIES, "TooMany", f"at most {MAX_ENTRIES} entries")
    checker.at("use").require(len(policy.use or "") <= MAX_USE, "TooMany", f"at most {MAX_USE} characters")
    if policy.review != "none":
        checker.at("review").report("ManualReviewNotSupported", "manual review is not available yet")


def _check_reference(reference: AlgorithmReference, checker: Checker) -> None:
    checker.at("did").require(is_complete_did(reference.did), "InvalidDid", "did:nv: and 64 hex digits")
    checker.at("checksum").require(
        sha256_of(reference.checksum) is not None, "WrongFormat", "the on-chain checksum: 64 hex digits"
    )


def check_address(text: str, checker: Checker) -> Address | None:
    """Check an account's address and return it in the case of EIP-55."""
    try:
        return read_address(text)
    except InsituError as error:
        checker.report("WrongFormat", error.detail)
        return None


def _check_template(service: Service, compute: ComputeService, checker: Checker) -> None:
    template = compute.service_agreement_template
    if template is None:
        checker.report("Required", "a compute service needs a serviceAgreementTemplate")
        return
    checker.at("contractName").require(template.contract_name == TEMPLATE, "WrongValue", f"{TEMPLATE} is needed")
    checker.at("chainId").require((template.chain_id or 0) > 0, "Required", "the id of the contract's chain is needed")
    checker.at("fulfillmentOperator").require(
        template.fulfillment_operator in (0, None), "WrongValue", "0: there is one terminal condition"
    )
    contract = check_address(template.contract_address or "", checker.at("contractAddress"))
    if contract is not None and (service.template_id or "").lower() != contract.lower():
        checker.at("contractAddress").report("WrongValue", "templateId and contractAddress differ")
    _check_events(template.events, (("AgreementCreated", "consumer"),), checker.at("events"))
    _check_order(template, checker)
    if len(template.conditions) == len(CONDITIONS):
        for i, (condition, kind) in enumerate(zip(template.conditions, CONDITIONS, strict=True)):
            _check_condition(condition, kind, contract, checker.at("conditions", i))
    else:
        checker.at("conditions").report("WrongValue", "the conditions are lockReward, execCompute, escrowReward")


def _check_order(template: AgreementTemplate, checker: Checker) -> None:
    order = [condition_name(step.removesuffix(".fulfill")) for step in template.fulfillment_order]
    checker.at("fulfillmentOrder").require(
        order == [kind.name for kind in CONDITIONS], "WrongValue", "lockReward, execCompute, escrowReward in this order"
    )
    stated = {
        condition_name(name): sorted(condition_name(other) for other in others)
        for name, others in (template.condition_dependency or {}).items()
    }
    expected: dict[str, list[str]] = {
        LOCK_REWARD: [],
        EXEC_COMPUTE: [],
        ESCROW_REWARD: sorted([LOCK_REWARD, EXEC_COMPUTE]),
    }
    checker.at("conditionDependency").require(
        stated == expected, "WrongValue", "escrowReward depends on the other two, which depend on nothing"
    )


def _check_condition(condition: Condition, kind: ConditionKind, contract: Address | None, checker: Checker) -> None:
    checker.at("name").require(
        condition_name(condition.name or "") == kind.name, "WrongValue", f"the condition here is {kind.name}"
    )
    checker.at("contractName").require(
        condition.contract_name == kind.contract_name, "WrongValue", f"{kind.contract_name} is needed"
    )
    checker.at("functionName").require(condition.function_name == "fulfill", "WrongValue", "fulfill is needed")
    checker.at("timelock").require(condition.timelock == 0, "TimelockNotSupported", "timelock must be 0")
    parameters = tuple((parameter.name or "", parameter.type or "") for parameter in condition.parameters)
    checker.at("parameters").require(
        parameters == kind.parameters, "WrongValue", "the parameters are not those of the contract's function"
    )
    _check_events(condition.events, kind.events, checker.at("events"))
    if contract is not None:
        expected = condition_key(contract, contract, kind.selector)
        checker.at("conditionKey").require(
            (condition.condition_key or "").lower() == expected, "WrongValue", f"the condition key is {expected}"
        )


def _check_events(events: tuple[ConditionEvent, ...], expected: tuple[tuple[str, str], ...], checker: Checker) -> None:
    stated = tuple((event.name or "", event.actor_type or "") for event in events)
    checker.require(stated == expected, "WrongValue", f"the events and actors here are {expected}")
    for i, event in enumerate(events[:MAX_ENTRIES]):
        handler = event.handler
        named = (handler.module_name or "", handler.function_name or "") if handler is not None else ("", "")
        version = handler.version if handler is not None else None
        checker.at(i, "handler").require(
            named in HANDLERS and version == HANDLER_VERSION, "HandlerNotAllowed", "the handler is not on the whitelist"
        )


def _check_times(compute: ComputeService, checker: Checker) -> None:
    if not 0 < compute.timeout <= MAX_TIMEOUT or not compute.servers:
        return  # already reported
    try:
        compute.times()
    except InsituError as error:
        if error.code != "TimelockNotSupported":
            Checker(checker.pointer + (error.pointer or ""), checker.problems).report("OutOfRange", error.detail)
