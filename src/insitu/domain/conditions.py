"""The service agreement template of a compute service: its three conditions, their keys, handlers, and times.

The document describes what the contract does: lockReward, then execCompute, then escrowReward. One contract has all
three conditions, so each condition's ``controller`` is the template's own address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from insitu.domain.agreement import TERMS_TYPE
from insitu.domain.canonical import JsonObject, keccak256
from insitu.domain.did import abi_address
from insitu.domain.document import Document, Whole
from insitu.domain.ids import Address

TEMPLATE = "ServiceExecutionTemplate"

LOCK_REWARD = "lockReward"
EXEC_COMPUTE = "execCompute"
ESCROW_REWARD = "escrowReward"

ALIASES: Mapping[str, str] = {"serviceExecution": EXEC_COMPUTE, "releaseReward": ESCROW_REWARD}
"""Other names that the specification itself uses for the conditions."""


def condition_name(name: str) -> str:
    """Return the condition that a name or alias means: ``serviceExecution`` means ``execCompute``."""
    return ALIASES.get(name, name)


def _tuple_of(struct_type: str) -> str:
    members = struct_type.partition("(")[2].removesuffix(")").split(",")
    return "(" + ",".join(member.split(" ")[0] for member in members) + ")"


TERMS_TUPLE = _tuple_of(TERMS_TYPE)
SETTLEMENT_TUPLE = "(uint32,uint128,bytes32,bool)"


@dataclass(frozen=True, slots=True)
class ConditionKind:
    """The fixed part of a condition: its contract, the ABI signature of ``fulfill``, parameters, events, handler."""

    name: str
    contract_name: str
    signature: str
    parameters: tuple[tuple[str, str], ...]
    events: tuple[tuple[str, str], ...]
    """Name of the event and who acts on it."""
    handler: tuple[str, str]
    """Module and function of the off-chain handler."""

    @property
    def selector(self) -> bytes:
        """The 4 bytes that choose the contract's function."""
        return keccak256(self.signature.encode())[:4]


CONDITIONS: tuple[ConditionKind, ...] = (
    ConditionKind(
        LOCK_REWARD,
        "LockRewardCondition",
        f"fulfill({TERMS_TUPLE},address,uint256)",
        (("_rewardAddress", "address"), ("_amount", "uint256")),
        (("Fulfilled", "publisher"),),
        ("lockRewardCondition", "fulfillServiceExecutionCondition"),
    ),
    ConditionKind(
        EXEC_COMPUTE,
        "ComputeExecutionCondition",
        f"fulfill({TERMS_TUPLE},bytes32,address)",
        (("_documentId", "bytes32"), ("_grantee", "address")),
        (("Fulfilled", "publisher"), ("TimedOut", "consumer")),
        ("execCompute", "fulfillServiceExecutionCondition"),
    ),
    ConditionKind(
        ESCROW_REWARD,
        "EscrowReward",
        f"fulfill({TERMS_TUPLE},{SETTLEMENT_TUPLE},bytes)",
        (
            ("_amounts", "uint256[]"),
            ("_receivers", "address[]"),
            ("_sender", "address"),
            ("_lockCondition", "bytes32"),
            ("_releaseCondition", "bytes32"),
        ),
        (("Fulfilled", "publisher"),),
        ("escrowRewardCondition", "verifyRewardTokens"),
    ),
)
"""The conditions, in the order in which they are fulfilled and documents list them."""

TEMPLATE_HANDLER = ("serviceExecutionTemplate", "fulfillLockRewardCondition")
HANDLER_VERSION = "0.1"

HANDLERS = frozenset({TEMPLATE_HANDLER, *(kind.handler for kind in CONDITIONS)})
"""The only (module, function) pairs that a document may name. They are compared, never imported."""


def condition_key(template: Address, controller: Address, selector: bytes) -> str:
    """Return ``keccak256(abi.encode(templateId, controller, selector))`` as 0x and 64 hex digits.

    ``template`` is the address of the template contract (templateId), ``controller`` that of the contract with the
    condition, and ``selector`` has the function's 4 bytes.
    """
    return "0x" + keccak256(abi_address(template) + abi_address(controller) + selector.ljust(32, b"\0")).hex()


class Handler(Document):
    """An off-chain function that follows an event."""

    module_name: str | None = None
    function_name: str | None = None
    version: str | None = None


class ConditionEvent(Document):
    """An event of a contract and who acts on it."""

    name: str | None = None
    actor_type: str | None = None
    handler: Handler | None = None


class Parameter(Document):
    """A parameter of a condition's function. ``value`` is filled in when publishing or purchasing."""

    name: str | None = None
    type: str | None = None
    value: Any = None


class Condition(Document):
    """A condition as the document describes it. ``timelock`` and ``timeout`` are in seconds."""

    name: str | None = None
    timelock: Whole = 0
    timeout: Whole = 0
    contract_name: str | None = None
    function_name: str | None = None
    parameters: tuple[Parameter, ...] = ()
    events: tuple[ConditionEvent, ...] = ()
    condition_key: str | None = None


class AgreementTemplate(Document):
    """``serviceAgreementTemplate``: what an agreement on the service consists of."""

    contract_name: str | None = None
    contract_address: str | None = None
    chain_id: Whole | None = None
    events: tuple[ConditionEvent, ...] = ()
    fulfillment_order: tuple[str, ...] = ()
    fulfillment_operator: Whole | None = None
    condition_dependency: dict[str, list[str]] | None = None
    conditions: tuple[Condition, ...] = ()

    def condition(self, name: str) -> Condition | None:
        """Return the condition with this name or alias, or None."""
        wanted = condition_name(name)
        return next((c for c in self.conditions if c.name is not None and condition_name(c.name) == wanted), None)

    def timeout_of(self, name: str) -> int:
        """Return a condition's timeout in seconds; 0 if the document gives none."""
        condition = self.condition(name)
        return condition.timeout if condition is not None else 0


def agreement_template(
    contract: Address,
    chain_id: int,
    *,
    price: int,
    grant_timeout: int = 0,
    settle_timeout: int = 0,
    lock_timeout: int = 0,
) -> AgreementTemplate:
    """Return the template document that a publisher writes into a compute service.

    Parameters
    ----------
    contract
        Address of the deployed ServiceExecutionTemplate; also the controller of each condition.
    chain_id
        Of the chain that the contract is on.
    price
        Of the service, in base units; the value of lockReward's ``_amount``.
    grant_timeout
        Seconds that the provider has to grant; 0 for the default.
    settle_timeout
        Seconds after the timeout in which executions are settled; 0 for the default.
    lock_timeout
        Seconds for which a quote is valid; 0 for the default.
    """
    values: dict[str, Any] = {"_rewardAddress": contract, "_amount": str(price), "_amounts": [], "_receivers": []}
    timeouts = {LOCK_REWARD: lock_timeout, EXEC_COMPUTE: grant_timeout, ESCROW_REWARD: settle_timeout}
    return AgreementTemplate.read(
        {
            "contractName": TEMPLATE,
            "contractAddress": contract,
            "chainId": chain_id,
            "events": [_event("AgreementCreated", "consumer", TEMPLATE_HANDLER)],
            "fulfillmentOrder": [f"{kind.name}.fulfill" for kind in CONDITIONS],
            "fulfillmentOperator": 0,
            "conditionDependency": {LOCK_REWARD: [], EXEC_COMPUTE: [], ESCROW_REWARD: [LOCK_REWARD, EXEC_COMPUTE]},
            "conditions": [
                {
                    "name": kind.name,
                    "timelock": 0,
                    "timeout": timeouts[kind.name],
                    "contractName": kind.contract_name,
                    "functionName": "fulfill",
                    "conditionKey": condition_key(contract, contract, kind.selector),
                    "parameters": [
                        {"name": name, "type": abi_type, "value": values.get(name, "")}
                        for name, abi_type in kind.parameters
                    ],
                    "events": [_event(name, actor, kind.handler) for name, actor in kind.events],
                }
                for kind in CONDITIONS
            ],
        }
    )


def _event(name: str, actor: str, handler: tuple[str, str]) -> JsonObject:
    module, function = handler
    return {
        "name": name,
        "actorType": actor,
        "handler": {"moduleName": module, "functionName": function, "version": HANDLER_VERSION},
    }
