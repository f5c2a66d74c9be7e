"""Parameters that several routes share: ids in paths, each with its pattern, and the header that carries a token."""

from typing import Annotated, Any

from fastapi import Path, Request, Security
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

BYTES: dict[str, Any] = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
"""A body or an answer that is bytes."""

# The patterns are only documented: the readers of ids also accept 0x and capitals, and answer with a code of their own.
AgreementPath = Annotated[str, Path(json_schema_extra={"pattern": "^(0x)?[0-9a-fA-F]{64}$"})]
ExecutionPath = Annotated[str, Path(json_schema_extra={"pattern": "^wx[a-z2-7]{26}$"})]
DidPath = Annotated[str, Path(json_schema_extra={"pattern": "^did:nv:[0-9a-f]{64}$"})]


class _AuthorizationHeader(SecurityBase):
    """The value of the Authorization header, or None; whoever gets it decides whether it is good enough."""

    def __init__(self, name: str, description: str) -> None:
        self.model = HTTPBearer(description=description)
        self.scheme_name = name

    def __call__(self, request: Request) -> str | None:
        value: str | None = request.headers.get("authorization")
        return value


AccessTokenHeader = Annotated[
    str | None, Security(_AuthorizationHeader("accessToken", "A token of oauth/token, for one operation."))
]
TicketHeader = Annotated[
    str | None, Security(_AuthorizationHeader("ticket", "The ticket of one execution, for the operator and its pods."))
]
ServiceKeyHeader = Annotated[
    str | None, Security(_AuthorizationHeader("serviceKey", "The key that gateway and operator share."))
]
