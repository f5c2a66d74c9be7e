"""The contracts: deploy them, check them against the code of this version, hand them over; and mint tokens."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from insitu.cli.findings import as_json, show
from insitu.cli.options import local, node, signing, yes
from insitu.cli.session import Session, pass_session

if TYPE_CHECKING:
    from insitu.ports.keys import Signer

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def chain() -> None:
    """Deploy the contracts, check them, accept their ownership, or mint their development token.

    The embedded chain of insitu up has the contracts from its first start. For another chain give --rpc, or set
    chain.rpc_url.
    """


def _key_file(command: Command) -> Command:
    return click.option(
        "--key-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Wallet key file to sign with, instead of --account.",
    )(command)


@chain.command()
@click.option("--token", metavar="ADDRESS", help="ERC-20 token for payments; default: deploy one.")
@click.option("--owner", metavar="ADDRESS", help="Future owner of the contracts; default: the deployer.")
@yes
@_key_file
@node
@signing
@pass_session
def deploy(session: Session, token: str | None, owner: str | None, key_file: Path | None, *, yes: bool) -> None:
    """Deploy the contracts with the key of --account, and write the deployments file.

    After an interruption, repeat the call: it continues where it stopped. Ownership is offered to --owner, who accepts
    it with insitu chain accept-ownership.
    """
    from insitu.domain.ids import read_address
    from insitu.stack.contracts import deploy_contracts

    settings, screen = session.settings, session.screen
    if settings.chain.embedded:
        raise click.UsageError(
            "the embedded chain already has its contracts; name another chain with --rpc or chain.rpc_url"
        )
    signer = _signer(session, key_file)
    screen.note(f"chain     {settings.chain.rpc_url}\ndeployer  {signer.address}\nfile      {settings.deployments}")
    screen.confirm("Deploy?", yes=yes, unattended="deploying costs gas: confirm it with --yes")
    chosen = [read_address(text) if text else None for text in (token, owner)]

    async def deploy_them() -> dict[str, str]:
        return await deploy_contracts(settings, signer, token=chosen[0], owner=chosen[1], say=screen.note)

    contracts = session.wait_for(deploy_them)
    screen.answer(contracts, contracts.items())
    if chosen[1] is not None and chosen[1] != signer.address:
        screen.note(f"{chosen[1]} accepts the contracts with: insitu chain accept-ownership --account NAME")


@chain.command()
@node
@local
@pass_session
def check(session: Session) -> int:
    """Compare the contracts on chain with ours: code, wiring, approval of the template, owners and minters.

    The exit code is 1 if something is wrong. A warning is not an error: everything works, but somebody should know.
    """
    from insitu.stack.contracts import inspect_contracts

    addresses, findings = session.wait_for(inspect_contracts, session.settings)
    failed = [finding.part for finding in findings if finding.state == "failed"]
    if session.choices.as_json:
        parts = [as_json(finding) for finding in findings]
        session.screen.json({"ready": not failed, "contracts": addresses, "findings": parts})
        return 1 if failed else 0
    for finding in findings:
        show(session.screen, finding, width=max(len(finding.part) for finding in findings))
    session.screen.line(f"wrong: {', '.join(failed)}" if failed else "the contracts are ours and in order")
    return 1 if failed else 0


@chain.command()
@yes
@_key_file
@node
@signing
@pass_session
def accept_ownership(session: Session, key_file: Path | None, *, yes: bool) -> None:
    """Accept the contracts that their owner has offered to --account: the second step of handing them over.

    After an interruption, repeat the call to accept the rest. contracts/docs/Security.md says what an owner can do.
    """
    from insitu.stack.contracts import accept_contracts

    screen = session.screen
    signer = _signer(session, key_file)
    screen.confirm(f"Accept the contracts as {signer.address}?", yes=yes, unattended="this costs gas: give --yes")
    taken = session.wait_for(accept_contracts, session.settings, signer)
    said = f"now owns {', '.join(taken)}" if taken else "already owns them"
    screen.answer({"owner": signer.address, "taken": taken}, f"{signer.address} {said}")


@chain.command()
@click.argument("accounts", nargs=-1, required=True, metavar="ADDRESS...")
@click.option("--amount", required=True, metavar="TOKENS", help="The least that each account should have.")
@yes
@_key_file
@node
@signing
@pass_session
def fund(session: Session, accounts: tuple[str, ...], amount: str, key_file: Path | None, *, yes: bool) -> None:
    """Mint development tokens until each ADDRESS has the amount. --account names a minter.

    On the embedded chain the minter is the account deployer, which is the default there. After an interruption, repeat
    the call: it mints the rest and nothing twice. It does not give the chain's own coin, which pays for gas.
    """
    from insitu.domain.ids import read_address
    from insitu.stack.contracts import fund_accounts

    screen = session.screen
    signer, funded = _signer(session, key_file), [read_address(account) for account in accounts]
    screen.confirm(f"Mint as {signer.address}?", yes=yes, unattended="this costs gas: give --yes")
    minted = session.wait_for(fund_accounts, session.settings, signer, funded, amount)
    if session.choices.as_json:
        screen.json({"minted": {account: str(units) for account, units in minted.items()}})
        return
    for account in funded:
        screen.line(f"{account} {f'got {minted[account]} base units' if account in minted else 'already has enough'}")


def _signer(session: Session, key_file: Path | None) -> "Signer":
    """Open the named key file, else the key of the account; on the embedded chain the default is the deployer's."""
    if key_file is None:
        return session.signer("deployer")
    from insitu.cli.passwords import password_for
    from insitu.stack.parts import open_key_file

    return open_key_file(key_file, password_for)
