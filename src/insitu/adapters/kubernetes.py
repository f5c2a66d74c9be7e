"""One namespace of a Kubernetes cluster, as adapters use it: typed objects, errors of the table, raw log streams.

``lightkube`` does the talking. This adds two things: an object that already exists, or is already gone, is not an
error; and a refusal is not a failure, because only a failure can pass by itself.
"""

import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.request import getproxies_environment

import anyio.lowlevel
import httpx2
from anyio import CancelScope, move_on_after
from lightkube import ApiError, AsyncClient, ConfigError, KubeConfig
from lightkube.config import client_adapter
from lightkube.config.kubeconfig import SingleConfig
from lightkube.types import PatchType

from insitu.domain.errors import InsituError

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP = "insitu.internal"
"""API group of our custom resource, and the prefix of our annotations."""

SECONDS = 10.0
"""Seconds after which a call counts as not answered."""

WATCH_SECONDS = 290
"""Seconds after which a watch is made again."""

_KEEPALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 20_000}
"""A peer that silently disappeared is noticed after 25 s, or 20 s (in ms) after data that it did not take."""

_IDLE_SECONDS = 60.0
"""How long a connection waits for its next call; a new one costs three round trips to the API server."""

Kind = TypeVar("Kind")


class ConflictError(Exception):
    """The object already exists, or has changed since it was read."""


class RefusedError(Exception):
    """The cluster understood and refused: a rule, a quota, or a missing right. It would refuse again."""


class Cluster:
    """A namespace of a cluster.

    Parameters
    ----------
    kubeconfig
        File with address and credentials. None: the service account of the pod that this runs in, or KUBECONFIG.
    namespace
        None: the one of the configuration.
    failure
        Code of the error for a cluster that does not answer.

    Raises ``SettingsInvalid`` if there is no usable configuration.
    """

    def __init__(
        self, kubeconfig: Path | None = None, namespace: str | None = None, *, failure: str = "InfrastructureFailed"
    ) -> None:
        try:
            found = KubeConfig.from_env() if kubeconfig is None else KubeConfig.from_file(kubeconfig)
            config = found.get()
        except (ConfigError, OSError) as error:
            raise InsituError("SettingsInvalid", f"no cluster is configured: {error}") from error
        if config is None:
            raise InsituError("SettingsInvalid", "the kubeconfig has no current context")
        self.namespace = namespace or config.namespace
        self._failure = failure
        timeout = httpx2.Timeout(SECONDS)
        # Its overloads tell namespaced kinds from others; here every kind is namespaced.
        self._client: Any = AsyncClient(
            config, namespace=self.namespace, timeout=timeout, transport=_attentive_transport(config)
        )
        # Streams hold their connection, so they have their own pool and never keep a call waiting.
        forever = client_adapter.ConnectionParams(
            timeout=httpx2.Timeout(SECONDS, read=None, pool=None), transport=_attentive_transport(config)
        )
        self._streams = client_adapter.AsyncClient(config, forever)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()
        await self._streams.aclose()
        await anyio.lowlevel.checkpoint()  # connections are closed in the next round of the event loop

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def get(self, kind: type[Kind], name: str) -> Kind | None:
        """Return an object, or None if it does not exist."""
        with self._translate_errors():
            try:
                found: Kind = await self._client.get(kind, name)
            except ApiError as error:
                if error.status.code == 404:
                    return None
                raise
            return found

    async def list(self, kind: type[Kind], labels: Mapping[str, Any]) -> Sequence[Kind]:
        """Return the objects with these labels; with a value of None, the label just has to exist."""
        from lightkube.operators import exists

        selector = {name: exists() if value is None else value for name, value in labels.items()}
        with self._translate_errors():
            found = self._client.list(kind, labels=selector)
            listed: Sequence[Kind] = [item async for item in found]
            return listed

    async def create(self, made: Any, name: str | None = None) -> Any:
        """Create an object and return it as stored. Raises ``ConflictError`` if it exists, ``RefusedError``."""
        with self._translate_errors():
            return await (self._client.create(made) if name is None else self._client.create(made, name))

    async def replace(self, changed: Any, name: str | None = None) -> Any:
        """Store a changed object (or its status, by name). Raises ``ConflictError`` if another was stored meanwhile."""
        with self._translate_errors():
            return await (self._client.replace(changed) if name is None else self._client.replace(changed, name))

    async def merge(self, kind: Any, name: str, change: Mapping[str, Any]) -> Any | None:
        """Merge a change into an object and return it; None if it does not exist.

        Raises ``ConflictError``, ``RefusedError``.
        """
        with self._translate_errors():
            try:
                return await self._client.patch(kind, name, dict(change), patch_type=PatchType.MERGE)
            except ApiError as error:
                if error.status.code == 404:
                    return None
                raise

    async def delete(self, kind: Any, name: str, *, grace: int | None = None, cascade: Any = None) -> None:
        """Delete an object, if it exists. ``grace``: seconds for a pod to end by itself."""
        with self._translate_errors():
            try:
                await self._client.delete(kind, name, grace_period=grace, cascade=cascade)
            except ApiError as error:
                if error.status.code != 404:
                    raise

    async def watch(
        self,
        kind: type[Kind],
        labels: Mapping[str, Any],
        seen: Callable[[Kind], None],
        gone: Callable[[Kind], None] | None = None,
    ) -> None:
        """Call ``seen`` for every object with these labels and for each change, until the connection ends.

        ``gone`` is called for a deleted object; without it, ``seen`` is.
        """
        from lightkube.operators import exists

        selector = {name: exists() if value is None else value for name, value in labels.items()}
        # We would wait forever on a connection whose other end has silently disappeared.
        with self._translate_errors(), move_on_after(WATCH_SECONDS + SECONDS):
            watching = self._client.watch(kind, labels=selector, server_timeout=WATCH_SECONDS)
            try:
                async for event, found in watching:
                    (gone if gone is not None and event == "DELETED" else seen)(found)
            finally:
                with CancelScope(shield=True):
                    await watching.aclose()

    async def version(self) -> str:
        """Return the version of the cluster, e.g. ``v1.34.4``."""
        with self._translate_errors():
            answer = await self._streams.get("/version", timeout=SECONDS)
            answer.raise_for_status()
            return str(answer.json()["gitVersion"])

    async def served(self, group: str, version: str) -> frozenset[str]:
        """Return the names of the resources that the cluster serves of an API group; none if the group is unknown."""
        with self._translate_errors():
            answer = await self._streams.get(f"/apis/{group}/{version}", timeout=SECONDS)
            if answer.status_code == 404:
                return frozenset()
            answer.raise_for_status()
            return frozenset(resource["name"] for resource in answer.json()["resources"])

    @asynccontextmanager
    async def log(self, pod: str, container: str, *, limit: int) -> AsyncIterator[AsyncIterator[bytes]]:
        """Follow the output of a container from its first byte, up to ``limit`` bytes.

        Raises ``ConflictError`` while there is nothing to follow: the container has not started, or is gone.
        """
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod}/log"
        wanted = {"container": container, "follow": "true", "limitBytes": str(limit)}
        with self._translate_errors():
            answer = await self._streams.send(self._streams.build_request("GET", path, params=wanted), stream=True)
            try:
                if answer.status_code in (400, 404):
                    raise ConflictError(pod)
                answer.raise_for_status()
                yield answer.aiter_bytes()
            finally:
                with CancelScope(shield=True):
                    await answer.aclose()

    @contextmanager
    def _translate_errors(self) -> "Iterator[None]":
        try:
            yield
        except ApiError as error:
            message = f"{error.status.message}"
            if error.status.code == 409:
                raise ConflictError(message) from error
            if error.status.code in (400, 403, 422):
                raise RefusedError(message) from error
            raise InsituError(self._failure, f"the cluster fails: {message[:500]}") from error
        except httpx2.HTTPError as error:
            raise InsituError(self._failure, f"the cluster does not answer: {type(error).__name__}") from error


def _attentive_transport(config: SingleConfig) -> Any:
    """Return connections that notice a peer that is gone; otherwise a watch or a log would wait forever.

    None if the environment names a proxy, which stays in use: it is the peer then.
    """
    if set(getproxies_environment()) - {"no"}:
        return None
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    options += [
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in _KEEPALIVE.items()
        if hasattr(socket, name)
    ]
    verify = client_adapter.ConnectionParams().httpx_params(config)["verify"]
    return httpx2.AsyncHTTPTransport(
        verify=verify, socket_options=options, limits=httpx2.Limits(keepalive_expiry=_IDLE_SECONDS)
    )
