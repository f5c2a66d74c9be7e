"""Files that live elsewhere and are fetched by the gateway: public urls and object stores (design §5)."""

from collections.abc import AsyncIterator
from typing import Protocol

__all__ = ["Sources"]


class Sources(Protocol):
    """Reads files by url. One contract suite (tests/ports/sources) runs over every adapter."""

    async def check(self, url: str) -> None:
        """Refuse a url that this server does not fetch from, before anything depends on it.

        Raises ``TargetNotAllowed`` for loopback, private and link-local addresses, after names are resolved, unless
        settings name the host; ``InvalidRequest`` for a url that is none or has a scheme nobody reads.
        """
        ...

    def open(self, url: str) -> AsyncIterator[bytes]:
        """Stream the content. The address is checked at each redirect and is the one that is connected to.

        Raises ``TargetNotAllowed``, ``ConfigurationFailed`` where the source does not answer with the file.
        """
        ...
