"""The journal of a deployment: it records each transaction before it is sent, so that a restart can continue."""

import json
from pathlib import Path
from typing import Any

from insitu.adapters.chain.deployments import replace_file
from insitu.domain.canonical import keccak256
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.ports.chain import SignedTransaction


class Journal:
    """Signed transactions by step. They become public when they are sent, and contain no key.

    Parameters
    ----------
    path
        The file. The first step creates it.
    chain_id, deployer
        What the journal belongs to. Raises ``SettingsInvalid`` if the file belongs to another.
    """

    def __init__(self, path: Path, chain_id: int, deployer: Address) -> None:
        self._path = path
        self._head: dict[str, Any] = {"chainId": chain_id, "deployer": deployer}
        found = self._read()
        if found and {name: found.get(name) for name in self._head} != self._head:
            detail = f"{path} is the journal of chain {found.get('chainId')} and deployer {found.get('deployer')}"
            raise InsituError("SettingsInvalid", detail)
        self._steps: dict[str, dict[str, Any]] = dict(found.get("steps", {}))

    def transaction(self, step: str, data: bytes) -> SignedTransaction | None:
        """Return the transaction signed for a step, if there is one with the same data."""
        entry = self._steps.get(step)
        if entry is None or entry["data"] != keccak256(data).hex():
            return None
        return SignedTransaction(entry["transaction"], bytes.fromhex(entry["raw"]), entry["nonce"])

    def write(self, step: str, data: bytes, transaction: SignedTransaction) -> None:
        """Record a transaction that is about to be sent. Raises ``StorageFailed``."""
        self._steps[step] = {
            "data": keccak256(data).hex(),
            "transaction": transaction.hash,
            "nonce": transaction.nonce,
            "raw": transaction.raw.hex(),
        }
        self._save()

    def forget(self, step: str) -> None:
        """Remove a step whose transaction failed, or can never be mined because another took its nonce."""
        self._steps.pop(step, None)
        self._save()

    def _save(self) -> None:
        replace_file(self._path, (json.dumps({**self._head, "steps": self._steps}, indent=1) + "\n").encode())

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            raise InsituError("SettingsInvalid", f"{self._path} is not a deployment journal") from None
        if not isinstance(found, dict):
            raise InsituError("SettingsInvalid", f"{self._path} is not a deployment journal")
        return found
