"""What one process of a provider does: its settings, its actors, and the socket it listens on."""

import socket
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from insitu.domain.errors import InsituError
from insitu.domain.hosts import is_loopback
from insitu.settings.sections import Settings
from insitu.stack.peers import ACTORS, Actor


class Neighbour(Protocol):
    """Another process that lives and dies with this one (:mod:`insitu.stack.separation`)."""

    async def ready(self) -> bool:
        """Meet it once this process answers; return True if this process makes the announcement for both."""
        ...

    async def ended(self) -> None:
        """Return when this process should end because of it. Raises ``PeerUnavailable`` if that is a failure."""
        ...

    async def end(self) -> None:
        """Ask it to end, and wait; this process has finished its work."""
        ...


@dataclass(frozen=True, slots=True)
class Share:
    """What this process does.

    Attributes
    ----------
    patience
        Seconds to wait for the data folder, if its previous process may still be ending.
    """

    settings: Settings
    actors: frozenset[Actor]
    listening: socket.socket
    public_url: str
    neighbour: Neighbour | None = None
    patience: float = 0.0


def share_of(settings: Settings, actors: frozenset[Actor] = frozenset(ACTORS)) -> Share:
    """Take the port before anything else, so that two starts cannot both believe they have it.

    Raises ``PortTaken``, ``KnownKeysExposed``.
    """
    if actors & {"metadata", "gateway"}:
        _keep_known_keys_here(settings)
    listening = _bind(settings)
    return Share(settings, actors, listening, _public_url(settings, listening))


def _keep_known_keys_here(settings: Settings) -> None:
    """Refuse to expose the embedded chain's accounts, whose keys are in every copy of this software."""
    if not settings.chain.embedded or settings.chain.expose_known_keys:
        return
    for name, host in (
        ("server.host", settings.server.host),
        ("server.public_url", urlsplit(settings.public_url).hostname),
    ):
        if not is_loopback(host or ""):
            raise InsituError("KnownKeysExposed", f"{name} is {host}, but the chain is the embedded one")


def _bind(settings: Settings) -> socket.socket:
    host, port = settings.server.host, settings.server.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        # From now on, callers wait in the queue while the services start, instead of being refused.
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise InsituError("PortTaken", f"{host} port {port} cannot be used: {error.strerror}") from error
    return listening


def _public_url(settings: Settings, listening: socket.socket) -> str:
    if settings.server.public_url is not None or settings.server.port != 0:
        return settings.public_url
    host = settings.server.host
    return f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
