"""Connecting a person to a provider in one call, with the key, chain and addresses of the settings."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from insitu.domain.errors import InsituError
from insitu.sdk.arguments import refuse
from insitu.settings.caller import KEY_PASSWORD, read_caller
from insitu.settings.reading import read_settings
from insitu.settings.sections import Settings
from insitu.stack.parts import default_account, open_chain, open_signer

if TYPE_CHECKING:
    from insitu.ports.keys import Signer
    from insitu.sdk.client import Client
    from insitu.sdk.synchronous import SyncClient


def connect(
    url: str | None = None,
    *,
    account: str | None = None,
    password: str | None = None,
    home: Path | str | None = None,
    signer: "Signer | None" = None,
    settings: Settings | None = None,
) -> "SyncClient":
    """Connect to a provider, for scripts and notebooks. Use ``with``; otherwise the client closes when Python ends.

    Parameters
    ----------
    url
        Address of the provider's gateway. Default: INSITU_URL, then the one on this machine.
    account
        Name or address of a key in the data folder; on the development chain also ``consumer``, ``owner`` …
        Default: INSITU_ACCOUNT, then the only key, then ``consumer`` on the development chain.
    password
        Password of the key file. Default: INSITU_KEY_PASSWORD.
    home
        The data folder. Default: INSITU_HOME.
    signer, settings
        Use these instead of ``account`` and ``home``.

    Raises ``KeyNotFound``, ``KeyPasswordWrong``, ``ContractMismatch``, ``SettingsInvalid``.
    """
    from insitu.sdk.synchronous import SyncClient

    make = _maker(url, account, password, home, signer, settings)
    return SyncClient(make)


async def connect_async(
    url: str | None = None,
    *,
    account: str | None = None,
    password: str | None = None,
    home: Path | str | None = None,
    signer: "Signer | None" = None,
    settings: Settings | None = None,
) -> "Client":
    """Connect to a provider like :func:`connect`, for async programs. Close the client, or use ``async with``."""
    return _maker(url, account, password, home, signer, settings)()


def _maker(
    url: str | None,
    account: str | None,
    password: str | None,
    home: Path | str | None,
    signer: "Signer | None",
    settings: Settings | None,
) -> "Callable[[], Client]":
    """Read keys and settings now, so that mistakes are reported before a thread starts."""
    refuse("connect", signer=signer, account=account, password=password, settings=settings, home=home)
    read = settings or read_settings(os.environ, home=Path(home) if home is not None else None)
    caller = read_caller(os.environ)
    given = caller.password if password is None else password
    account = account or caller.account
    chosen = signer or open_signer(read, account or default_account(read), lambda name: _password(name, given))
    address = url or caller.url or read.public_url

    def make() -> "Client":
        from insitu.sdk.client import Client

        return Client(open_chain(read), chosen, address, metadata_url=read.metadata.url)

    return make


def _password(name: str, given: str | None) -> str:
    if given is None:
        raise InsituError("KeyPasswordWrong", f"the key {name} needs a password: give password=, or set {KEY_PASSWORD}")
    return given
