"""How large a body may be that the operator is sent, where that differs from the usual."""

from collections.abc import Mapping

from insitu.api.operator_v1 import WORKFLOWS

__all__ = ["BODY_LIMITS"]

BODY_LIMITS: Mapping[str, int] = {WORKFLOWS: 32 * 1024 * 1024}
"""The limits in bytes by the beginning of the path: a plan names every file of every input."""
