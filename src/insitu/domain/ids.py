"""Ids of agreements and executions, addresses, and the labels that every object of an execution has (E4, E5)."""

import base64
import hashlib
import re
import secrets
from typing import NewType

from insitu.domain.errors import InsituError

AgreementId = NewType("AgreementId", str)
"""serviceAgreementId: 64 lower-case hexadecimal digits without 0x, the EIP-712 digest of the terms (C2)."""

ExecutionId = NewType("ExecutionId", str)
"""workflowExecutionId: ``wx`` and 26 letters or digits, one execution of an agreement (E4)."""

Address = NewType("Address", str)
"""An account or contract: 0x and 40 hexadecimal digits in the case of EIP-55. Compare it in lower case."""

_HEX64 = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_EXECUTION = re.compile(r"wx[a-z2-7]{26}")
_LABEL_DIGITS = 63
"""A label value in Kubernetes has at most 63 characters, but an agreement id has 64."""


def new_seed() -> str:
    """Draw the random part of a serviceAgreementId: 32 random bytes as 64 hexadecimal digits (C2)."""
    return secrets.token_hex(32)


def read_agreement_id(text: str) -> AgreementId:
    """Read a serviceAgreementId, with or without 0x, in any case. Raises ``InvalidId``."""
    match = _HEX64.fullmatch(text)
    if match is None:
        raise InsituError("InvalidId", f"{text[:80]!r} is not an agreement id of 64 hexadecimal digits")
    return AgreementId(match[1].lower())


def read_execution_id(text: str) -> ExecutionId:
    """Read a workflowExecutionId. Raises ``InvalidId``."""
    if _EXECUTION.fullmatch(text) is None:
        raise InsituError("InvalidId", f"{text[:80]!r} is not a workflow execution id")
    return ExecutionId(text)


def read_address(text: str) -> Address:
    """Read an account's address in any case and return it in the case of EIP-55. Raises ``InvalidId``."""
    if _ADDRESS.fullmatch(text) is None:
        raise InsituError("InvalidId", f"{text[:80]!r} is not an address of 0x and 40 hexadecimal digits")
    return Address(_checksum_case(text[2:].lower()))


def workflow_execution_id(agreement_id: AgreementId, number: int) -> ExecutionId:
    """Derive the id of the ``number``-th execution of an agreement.

    The id is a function of its parts, so a retry after a lost answer names the same execution and can't start
    another one: ``wx`` and the first 26 characters of base32(sha256(agreement id ‖ number as 8 bytes, big-endian)).
    """
    digest = hashlib.sha256(bytes.fromhex(agreement_id) + number.to_bytes(8, "big")).digest()
    return ExecutionId("wx" + base64.b32encode(digest).decode("ascii")[:26].lower())


def labels(agreement_id: AgreementId, execution_id: ExecutionId) -> dict[str, str]:
    """Return the labels of every container, volume and object of an execution (E5).

    The label has the first 63 digits of the agreement id; the annotation of the same name has all 64.
    """
    return {"serviceAgreementId": agreement_id[:_LABEL_DIGITS], "workflowExecutionId": execution_id}


def annotations(agreement_id: AgreementId, execution_id: ExecutionId) -> dict[str, str]:
    """Return the annotations of every container, volume and object of an execution (E5): both ids in full."""
    return {"serviceAgreementId": agreement_id, "workflowExecutionId": execution_id}


def _checksum_case(digits: str) -> str:
    from insitu.domain.canonical import keccak256

    marks = keccak256(digits.encode("ascii")).hex()
    cased = (d.upper() if int(m, 16) > 7 else d for d, m in zip(digits, marks, strict=False))
    return "0x" + "".join(cased)
