"""What the SDKs of other languages know of the contracts: from the vendored artifacts, and deployments of a release."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from insitu.adapters.chain.contracts import artifact
from insitu.domain.canonical import keccak256

ROOT = Path(__file__).resolve().parent.parent
ARTIFACTS = ROOT / "src" / "insitu" / "adapters" / "chain" / "artifacts"

USED: Mapping[str, tuple[str, ...]] = {
    "DIDRegistry": (
        "registerAttribute", "registerAttributeFor", "updateAttribute", "transferDIDOwnership",
        "registerAttributesBySignature", "updateAttributesBySignature", "transferDIDOwnershipBySignature",
        "setDIDProviderBySignature", "used", "wasDerivedFrom", "wasAssociatedWith", "getDIDRegister", "isDIDProvider",
    ),
    "ServiceExecutionTemplate": (
        "createAgreementAndLock", "createLockGrant", "cancel", "getAgreement", "token", "didRegistry", "templateStore",
    ),
    "TemplateStoreManager": ("isTemplateApproved",),
    "ComputeExecutionCondition": ("fulfill", "refuse"),
    "EscrowReward": ("fulfill", "fulfillBatch", "refund"),
    "NeverminedToken": (
        "permit", "nonces", "balanceOf", "allowance", "name", "symbol", "decimals", "DOMAIN_SEPARATOR",
    ),
}  # fmt: skip
"""The functions that an SDK calls, by contract. No other part of an ABI is shipped."""

READ: Mapping[str, tuple[str, ...]] = {
    "DIDRegistry": ("DIDAttributeRegistered", "DIDProviderAdded", "DIDProviderRemoved"),
    "ServiceExecutionTemplate": ("AgreementCreated", "PaymentReleased"),
}
"""The events that it reads."""

KNOWN: Mapping[str, str] = {"development chain": "deploy/kustomize/components/development-chain/contracts.json"}
"""The deployments whose addresses an SDK knows: what people call the chain, and the file of its contracts."""

COMPARED = ("DIDRegistry", "ServiceExecutionTemplate")
"""The contracts whose code is compared before anything is signed."""


@dataclass(frozen=True, slots=True)
class Described:
    """A function or an event of a contract."""

    name: str
    """What an SDK calls it; no two have the same name."""
    contract: str
    signature: str
    types: tuple[str, ...]
    """What a function returns, or what of an event is not in its topics."""


@dataclass(frozen=True, slots=True)
class Code:
    """The code of a contract: its Keccak-256 with zeros in place of the words that each deployment has of its own."""

    contract: str
    digest: str
    words: tuple[int, ...]


def functions() -> Iterable[Described]:
    """Yield the functions that are called."""
    for contract, names in USED.items():
        for name in names:
            entry = _entry(contract, "function", name)
            called = name if name != "fulfill" else f"fulfill{contract}"
            yield Described(called, contract, _signature(entry), tuple(map(_kind, entry["outputs"])))


def events() -> Iterable[Described]:
    """Yield the events that are read."""
    for contract, names in READ.items():
        for name in names:
            entry = _entry(contract, "event", name)
            data = tuple(_kind(given) for given in entry["inputs"] if not given["indexed"])
            yield Described(name, contract, _signature(entry), data)


def codes() -> Iterable[Code]:
    """Yield the code of the contracts that are compared."""
    for contract in COMPARED:
        vendored = artifact(contract)
        if any(length != 32 for _, length in vendored.immutables):
            raise ValueError(f"an immutable member of {contract} is not a word")
        digest = "0x" + keccak256(vendored.masked(vendored.deployed_bytecode)).hex()
        yield Code(contract, digest, tuple(start for start, _ in vendored.immutables))


def known() -> Iterable[tuple[str, int, Mapping[str, str]]]:
    """Yield what people call a chain, its id, and the addresses of registry, template and token on it."""
    members = {"registry": "DIDRegistry", "template": "ServiceExecutionTemplate", "token": "NeverminedToken"}
    for chain, path in KNOWN.items():
        found = json.loads((ROOT / path).read_text("utf-8"))
        yield chain, found["chainId"], {member: found["contracts"][name] for member, name in members.items()}


def _entry(contract: str, form: str, name: str) -> Mapping[str, Any]:
    entries = json.loads((ARTIFACTS / f"{contract}.json").read_text("utf-8"))["abi"]
    found: Mapping[str, Any] = next(entry for entry in entries if (entry["type"], entry.get("name")) == (form, name))
    return found


def _signature(entry: Mapping[str, Any]) -> str:
    return f"{entry['name']}({','.join(map(_kind, entry['inputs']))})"


def _kind(parameter: Mapping[str, Any]) -> str:
    """Return the canonical type of a parameter: a struct as ``(uint256,address[])``."""
    written: str = parameter["type"]
    if not written.startswith("tuple"):
        return written
    return f"({','.join(map(_kind, parameter['components']))}){written.removeprefix('tuple')}"
