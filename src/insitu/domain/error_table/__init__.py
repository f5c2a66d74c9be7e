"""Every error code of the system, by topic: code, HTTP status, what it means, what to do next.

A code is stable forever (ADR 0117): its meaning never changes, and it is never removed or reused. The reference page of
errors is generated from this table.
"""

from insitu.domain.error_table.access import ACCESS
from insitu.domain.error_table.agreements import AGREEMENTS
from insitu.domain.error_table.documents import DOCUMENTS
from insitu.domain.error_table.executions import EXECUTIONS
from insitu.domain.error_table.infrastructure import INFRASTRUCTURE
from insitu.domain.error_table.shape import ErrorDefinition

__all__ = ["DEFINITIONS", "ErrorDefinition"]

DEFINITIONS: tuple[ErrorDefinition, ...] = ACCESS + AGREEMENTS + DOCUMENTS + EXECUTIONS + INFRASTRUCTURE
