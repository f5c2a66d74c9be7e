"""The vendored ABIs as they are written, read without the code that the tests are about."""

import json
from importlib import resources
from typing import Any

CONTRACTS = (
    "AgreementStoreManager",
    "ComputeExecutionCondition",
    "ConditionStoreManager",
    "DIDRegistry",
    "Dispenser",
    "EscrowReward",
    "LockRewardCondition",
    "NeverminedToken",
    "ServiceExecutionTemplate",
    "TemplateStoreManager",
)


def abi_of(contract: str) -> list[dict[str, Any]]:
    """The entries of a contract's ABI."""
    vendored = resources.files("insitu.adapters.chain") / "artifacts" / f"{contract}.json"
    entries: list[dict[str, Any]] = json.loads(vendored.read_text("utf-8"))["abi"]
    return entries


def abi_type(parameter: dict[str, Any]) -> str:
    """The canonical type of a parameter: a struct as ``(uint256,address[])``."""
    if not parameter["type"].startswith("tuple"):
        return str(parameter["type"])
    members = ",".join(abi_type(member) for member in parameter["components"])
    return f"({members}){parameter['type'].removeprefix('tuple')}"


def signature(entry: dict[str, Any]) -> str:
    """What a selector or a topic is the hash of."""
    return f"{entry['name']}({','.join(abi_type(parameter) for parameter in entry['inputs'])})"
