"""What a call of the command line works with: choices, settings, screen, client, each made when it is needed."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from insitu.cli.screen import Screen
from insitu.domain.errors import InsituError

if TYPE_CHECKING:
    from insitu.adapters.keys.keystore import Keystore
    from insitu.adapters.runtime.oci.images.store import ImageStore
    from insitu.ports.chain import TokenInfo
    from insitu.ports.keys import Signer
    from insitu.sdk.client import Client
    from insitu.settings.caller import CallerVariables
    from insitu.settings.sections import Settings

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Choices:
    """The options that every command takes.

    Attributes
    ----------
    home
        Data folder; default: INSITU_HOME, then the usual one.
    url
        Provider to talk to; default: INSITU_URL, then the one on this machine.
    account
        Name or address of a key; default: INSITU_ACCOUNT, then the only key.
    flags
        Settings: ``section.key`` and value.
    """

    home: Path | None = None
    url: str | None = None
    account: str | None = None
    flags: tuple[tuple[str, str], ...] = ()
    as_json: bool = False


def setting_flags(flags: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Split the values of ``--set`` into names and values. Raises a usage error for a malformed one."""
    pairs = []
    for flag in flags:
        name, equals, value = flag.partition("=")
        if not equals or "." not in name:
            raise click.UsageError(f"--set takes section.key=value, not {flag!r}; see docs/reference/settings.md")
        pairs.append((name, value))
    return tuple(pairs)


class Session:
    """The object that all commands share. Nothing is read or opened before a command asks for it."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices

    @classmethod
    def from_options(
        cls, *, home: Path | None, url: str | None, account: str | None, flags: tuple[str, ...], as_json: bool
    ) -> "Session":
        """Read the options before the command. Raises a usage error for a malformed ``--set``."""
        return cls(Choices(home, url, account, setting_flags(flags), as_json))

    def choose(self, **choices: Any) -> None:
        """Take over the options after the command; they override those before it."""
        self.choices = replace(self.choices, **choices)

    @cached_property
    def screen(self) -> Screen:
        """The screen that this call prints on."""
        return Screen(as_json=self.choices.as_json)

    @cached_property
    def settings(self) -> "Settings":
        """The settings in force. Raises ``SettingsInvalid``."""
        from insitu.settings.reading import read_settings

        return read_settings(os.environ, dict(self.choices.flags), self.choices.home)

    @property
    def _caller(self) -> "CallerVariables":
        from insitu.settings.caller import read_caller

        return read_caller(os.environ)

    @property
    def url(self) -> str:
        """The provider to talk to."""
        return (self.choices.url or self._caller.url or self.settings.public_url).rstrip("/")

    @property
    def metadata_url(self) -> str:
        """The catalogue to ask: the one that the settings name, or the provider's."""
        return self.settings.metadata.url or self.url

    @property
    def names_node(self) -> bool:
        """Whether this call itself names a node of the chain."""
        return any(name == "chain.rpc_url" for name, _ in self.choices.flags)

    @cached_property
    def keystore(self) -> "Keystore":
        """The keys of the data folder."""
        from insitu.stack.parts import open_keys

        return open_keys(self.settings)

    @cached_property
    def images(self) -> "ImageStore":
        """The container images of this machine."""
        from insitu.stack.parts import open_images

        return open_images(self.settings)

    def wait_for(self, asynchronous: Callable[..., Awaitable[Result]], *arguments: Any) -> Result:
        """Call something asynchronous and wait for it. If several tasks fail at once, raise the first error."""
        import anyio

        try:
            return anyio.run(asynchronous, *arguments)
        except BaseExceptionGroup as group:
            raise _first(group) from None

    def signer(self, role: str = "consumer") -> "Signer":
        """Open the key to sign with.

        ``role`` names the development account to use on the embedded chain if no account is chosen.

        Raises ``KeyNotFound``, ``KeyAmbiguous``.
        """
        from insitu.cli.passwords import password_for
        from insitu.stack.parts import default_account, open_signer

        return open_signer(self.settings, self.account or default_account(self.settings, role), password_for)

    @property
    def address(self) -> str:
        """The address of the account that would sign; its key is not opened. Raises like :meth:`signer`."""
        from insitu.stack.parts import address_of, default_account

        return address_of(self.settings, self.account or default_account(self.settings))

    def act(self, work: "Callable[[Client], Awaitable[Result]]", role: str = "consumer") -> Result:
        """Connect to the provider with the account, do the work, and close the connections."""
        from insitu.stack.client import connect_async

        signer = self.signer(role)

        async def connect_and_work() -> Result:
            async with await connect_async(self.url, signer=signer, settings=self.settings) as client:
                return await work(client)

        results: list[Result] = self.wait_for(_until_interrupted, connect_and_work)
        if not results:
            raise click.Abort
        return results[0]

    @cached_property
    def token(self) -> "TokenInfo | None":
        """The payment token, for display; None if no chain is set or it does not answer."""
        from insitu.stack.parts import open_chain

        async def ask_chain() -> "TokenInfo":
            chain = open_chain(self.settings)
            try:
                return await chain.token()
            finally:
                await chain.close()

        try:
            return self.wait_for(ask_chain)
        except InsituError as error:
            if error.code not in {"ChainUnavailable", "ContractMismatch", "DeploymentsMissing"}:
                raise
            return None

    @property
    def account(self) -> str | None:
        """The key that was named, if one was."""
        return self.choices.account or self._caller.account


async def _until_interrupted(work: Callable[[], Awaitable[Result]]) -> list[Result]:
    """Return the result of the work in a list, which is empty if Ctrl-C stopped it.

    A cancelled scope cancels at every step, so code that swallows one cancellation meets the next; asyncio's own
    handling of Ctrl-C cancels a task only once.
    """
    import signal

    import anyio

    results: list[Result] = []
    async with anyio.create_task_group() as tasks:

        async def listen() -> None:
            with anyio.open_signal_receiver(signal.SIGINT) as signals:
                async for _ in signals:
                    tasks.cancel_scope.cancel()

        tasks.start_soon(listen)
        results.append(await work())
        tasks.cancel_scope.cancel()
    return results


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the most useful error of a group: one of ours before any other."""
    found = [error for error in group.exceptions if not isinstance(error, BaseExceptionGroup)]
    found += [_first(error) for error in group.exceptions if isinstance(error, BaseExceptionGroup)]
    return next((error for error in found if isinstance(error, InsituError)), found[0])


pass_session = click.make_pass_decorator(Session)
"""Give a command the session as its first argument."""
