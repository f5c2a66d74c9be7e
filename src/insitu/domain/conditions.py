"""The service agreement template of a compute service: its three conditions, their keys, handlers, and times.

The document says what the contract does: lockReward, then execCompute, then escrowReward. One contract holds all
three conditions, so each condition's `controller` is the template's own address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from insitu.domain.agreement import TERMS_TYPE
from insitu.domain.canonical import JsonObject, keccak256
from insitu.domain.did import abi_address
from insitu.domain.document import Document
from insitu.domain.ids import Address

TEMPLATE = "ServiceExecutionTemplate"

LOCK_REWARD = "lockReward"
EXEC_COMPUTE = "execCompute"
ESCROW_REWARD = "escrowReward"

ALIASES: Mapping[str, str] = {"serviceExecution": EXEC_COMPUTE, "releaseReward": ESCROW_REWARD}
"""Names that the specification itself uses beside the conditions' own."""


def condition_name(name: str) -> str:
    """The condition that a name means: `serviceExecution` is `execCompute`, `releaseReward` is `escrowReward`."""
    return ALIASES.get(name, name)


def _tuple_of(struct_type: str) -> str:
    members = struct_type.partition("(")[2].removesuffix(")").split(",")
    return "(" + ",".join(member.split(" ")[0] for member in members) + ")"


TERMS_TUPLE = _tuple_of(TERMS_TYPE)
SETTLEMENT_TUPLE = "(uint32,uint128,bytes32,bool)"


@dataclass(frozen=True, slots=True)
class ConditionKind:
    """What is fixed about a condition: its contract, the ABI signature of `fulfill`, parameters, events, handlers."""

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
"""The conditions in the order in which they are fulfilled and in which the document lists them."""

TEMPLATE_HANDLER = ("serviceExecutionTemplate", "fulfillLockRewardCondition")
HANDLER_VERSION = "0.1"

HANDLERS = frozenset({TEMPLATE_HANDLER, *(kind.handler for kind in CONDITIONS)})
"""The whitelist: the only (module, function) pairs a document may name. They are compared, never imported."""


def condition_key(template: Address, controller: Address, selector: bytes) -> str:
    """`keccak256(abi.encode(templateId, controller, selector))` as 0x and 64 hex digits.

    Args:
        template: address of the template contract (templateId).
        controller: address of the contract that holds the condition.
        selector: 4 bytes of the function.
    """
    return "0x" + keccak256(abi_address(template) + abi_address(controller) + selector.ljust(32, b"\0")).hex()


class Handler(Document):
    """An off-chain function that follows an event."""

    module_name: str | None = None
    function_name: str | None = None
    version: str | None = None


class Event(Document):
    """An event of a contract and who acts on it."""

    name: str | None = None
    actor_type: str | None = None
    handler: Handler | None = None


class Parameter(Document):
    """A parameter of a condition's function; `value` is filled at publish or at purchase."""

    name: str | None = None
    type: str | None = None
    value: Any = None


class Condition(Document):
    """A condition as the document describes it; `timelock` and `timeout` in seconds."""

    name: str | None = None
    timelock: int = 0
    timeout: int = 0
    contract_name: str | None = None
    function_name: str | None = None
    parameters: tuple[Parameter, ...] = ()
    events: tuple[Event, ...] = ()
    condition_key: str | None = None


class AgreementTemplate(Document):
    """`serviceAgreementTemplate`: what an agreement on the service consists of."""

    contract_name: str | None = None
    contract_address: str | None = None
    chain_id: int | None = None
    events: tuple[Event, ...] = ()
    fulfillment_order: tuple[str, ...] = ()
    fulfillment_operator: int | None = None
    condition_dependency: dict[str, list[str]] | None = None
    conditions: tuple[Condition, ...] = ()

    def condition(self, name: str) -> Condition | None:
        """The condition of this name, also found under its alias."""
        wanted = condition_name(name)
        return next((c for c in self.conditions if c.name is not None and condition_name(c.name) == wanted), None)

    def timeout_of(self, name: str) -> int:
        """The timeout in seconds that the document gives a condition; 0 if it gives none."""
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
    """The template document that a publisher writes into a compute service.

    Args:
        contract: address of the deployed ServiceExecutionTemplate; also the controller of each condition.
        chain_id: of the chain that the contract lives on.
        price: of the service, base units; the value of lockReward's `_amount`.
        grant_timeout: seconds that the provider has to grant; 0 for the default.
        settle_timeout: seconds after the timeout in which executions are settled; 0 for the default.
        lock_timeout: seconds that a quote stays good; 0 for the default.
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
