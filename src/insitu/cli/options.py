"""Options that many commands share. They may come before or after the command; those after it win."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from insitu.cli.session import Session, setting_flags

Command = TypeVar("Command", bound=Callable[..., Any])


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    if value not in {None, False} and parameter.name is not None:
        session = context.find_object(Session)
        assert session is not None, "the application makes the session before it calls a command"
        session.choose(**{parameter.name: value})
    return value


def _remember_settings(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> None:
    session = context.find_object(Session)
    if value and session is not None:
        session.choose(flags=(*session.choices.flags, *setting_flags(value)))


def _url(command: Command) -> Command:
    return click.option(
        "--url", expose_value=False, callback=_remember, help="Provider (INSITU_URL); default: the one on this machine."
    )(command)


def complete_did(text: str) -> str:
    """Read the DID of an asset, before a chain is opened. Raises ``InvalidDid``."""
    from insitu.domain.did import Did

    return str(Did.parse(text))


def placed(command: Command) -> Command:
    """Add the options of every command: ``--home`` and ``--set``."""
    home = click.option(
        "--home",
        type=click.Path(path_type=Path),
        expose_value=False,
        callback=_remember,
        help="Data folder (INSITU_HOME).",
    )
    setting = click.option(
        "--set",
        "flags",
        multiple=True,
        metavar="SECTION.KEY=VALUE",
        expose_value=False,
        callback=_remember_settings,
        help="Override a setting.",
    )
    return setting(home(command))


def local(command: Command) -> Command:
    """Add the options of a command that works on this machine: also ``--json``."""
    as_json = click.option(
        "--json", "as_json", is_flag=True, expose_value=False, callback=_remember, help="Print JSON for programs."
    )
    return as_json(placed(command))


def asking(command: Command) -> Command:
    """Add the options of a command that asks a provider without an account: also ``--url``."""
    return _url(local(command))


def signing(command: Command) -> Command:
    """Add the options of a command that signs but asks no provider: also ``--account``."""
    account = click.option(
        "--account", expose_value=False, callback=_remember, help="Key to sign with (INSITU_ACCOUNT); see insitu keys."
    )
    return account(local(command))


def connected(command: Command) -> Command:
    """Add the options of a command that talks to a provider with an account: ``--url`` and ``--account``."""
    return _url(signing(command))


def _remember_node(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    """Turn ``--rpc`` into a setting of this call."""
    if value is not None:
        _remember_settings(context, parameter, (f"chain.rpc_url={value}",))


def node(command: Command) -> Command:
    """Add ``--rpc``, the address of a node of the chain."""
    return click.option(
        "--rpc",
        metavar="URL",
        expose_value=False,
        callback=_remember_node,
        help="JSON-RPC address of a node; default: chain.rpc_url.",
    )(command)


def sending(command: Command) -> Command:
    """Add the options that say who sends a purchase: ``--relay/--no-relay`` and ``--offer``."""
    relay = click.option(
        "--relay/--no-relay",
        default=None,
        help="Let the gateway send the purchase and pay the gas; default: only if this account cannot.",
    )
    offer = click.option(
        "--offer",
        is_flag=True,
        help="Ask for the provider's signed offer, so that the purchase is granted immediately.",
    )
    return relay(offer(command))


def into(what: str) -> Callable[[Command], Command]:
    """Add the options that say where a result goes: ``--output`` and ``--force``."""
    text = f"Folder to download {what} into, new or empty."
    output = click.option("--output", "-o", type=click.Path(path_type=Path), help=text)
    force = click.option("--force", is_flag=True, help="Replace files that have the same name.")
    return lambda command: output(force(command))


def yes(command: Command) -> Command:
    """Add ``--yes``, which answers the question before anything that costs money."""
    return click.option("--yes", "-y", is_flag=True, help="Do not ask before paying.")(command)
