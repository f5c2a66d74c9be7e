"""Run code on data where it lives.

>>> import insitu
>>> with insitu.connect("http://127.0.0.1:8030") as client:
...     print(client.account)

Importing this package imports nothing else: names are loaded at their first use (PEP 562), so that scripts and
the command line start fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from insitu.domain.amount import Amount
    from insitu.domain.errors import (
        Conflict,
        Failure,
        InsituError,
        InvalidInput,
        LimitReached,
        NotAllowed,
        NotFound,
        TokenError,
        Unavailable,
    )
    from insitu.sdk.client import Client
    from insitu.sdk.synchronous import SyncClient
    from insitu.sdk.workflows import Previous, Stage
    from insitu.stack.client import connect, connect_async

__version__ = "0.1.0"

__all__ = [
    "Amount",
    "Client",
    "Conflict",
    "Failure",
    "InsituError",
    "InvalidInput",
    "LimitReached",
    "NotAllowed",
    "NotFound",
    "Previous",
    "Stage",
    "SyncClient",
    "TokenError",
    "Unavailable",
    "__version__",
    "connect",
    "connect_async",
]

_HOMES = {
    "Amount": "insitu.domain.amount",
    "Client": "insitu.sdk.client",
    "Conflict": "insitu.domain.errors",
    "Failure": "insitu.domain.errors",
    "InsituError": "insitu.domain.errors",
    "InvalidInput": "insitu.domain.errors",
    "LimitReached": "insitu.domain.errors",
    "NotAllowed": "insitu.domain.errors",
    "NotFound": "insitu.domain.errors",
    "Previous": "insitu.sdk.workflows",
    "Stage": "insitu.sdk.workflows",
    "SyncClient": "insitu.sdk.synchronous",
    "TokenError": "insitu.domain.errors",
    "Unavailable": "insitu.domain.errors",
    "connect": "insitu.stack.client",
    "connect_async": "insitu.stack.client",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'insitu' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
