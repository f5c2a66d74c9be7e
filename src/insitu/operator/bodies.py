"""How large a request body may be, where the limit differs from the usual one."""

from collections.abc import Mapping

from insitu.api.operator_v1 import WORKFLOWS

BODY_LIMITS: Mapping[str, int] = {WORKFLOWS: 32 * 1024 * 1024}
"""Limits in bytes by the beginning of the path: a plan names every file of every input."""
