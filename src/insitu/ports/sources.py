"""Files that live elsewhere and that the gateway fetches: public URLs and object stores."""

from collections.abc import AsyncIterator
from typing import Protocol


class Sources(Protocol):
    """Reads files by URL. One contract suite (tests/ports/sources) runs over every adapter."""

    async def check(self, url: str) -> None:
        """Refuse a URL that this server does not fetch from, before anything depends on it.

        Raises ``TargetNotAllowed`` for loopback, private and link-local addresses, after resolving names, unless
        settings name the host, and ``InvalidRequest`` for an invalid URL or an unknown scheme.
        """
        ...

    def open(self, url: str) -> AsyncIterator[bytes]:
        """Stream the content. Each redirect's address is checked, and only checked addresses are connected to.

        Raises ``TargetNotAllowed``, and ``ConfigurationFailed`` when the source does not answer with the file.
        """
        ...
