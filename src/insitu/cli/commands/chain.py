"""The contracts: deployed to a chain, or checked against the code that this version brings."""

import click

from insitu.cli.options import connected, yes
from insitu.cli.session import Session, pass_session

__all__ = ["chain"]


@click.group()
def chain() -> None:
    """Deploy the contracts, or check them.

    The embedded chain of insitu up has them from its first start. Others need chain.rpc_url in the settings.
    """


@chain.command()
@click.option("--token", metavar="ADDRESS", help="ERC-20 token to pay in; default: deploy one.")
@click.option("--owner", metavar="ADDRESS", help="Who shall own the contracts; default: the deployer.")
@yes
@connected
@pass_session
def deploy(session: Session, token: str | None, owner: str | None, *, yes: bool) -> None:
    """Deploy the contracts with the key of --account, and write the deployments file.

    The same call after an interruption goes on where it was.
    """
    from insitu.domain.ids import read_address
    from insitu.stack import deploy_contracts

    settings, screen = session.settings, session.screen
    if settings.chain.embedded:
        raise click.UsageError("the embedded chain has its contracts; set chain.rpc_url to deploy elsewhere")
    signer = session.signer()
    screen.note(f"chain     {settings.chain.rpc_url}\ndeployer  {signer.address}\nfile      {settings.deployments}")
    screen.confirm("Deploy?", yes=yes, unattended="deploying costs gas: give --yes to do it without being asked")
    chosen = [read_address(text) if text else None for text in (token, owner)]

    async def deployed() -> dict[str, str]:
        return await deploy_contracts(settings, signer, token=chosen[0], owner=chosen[1], say=screen.note)

    _show(session, session.wait_for(deployed))


@chain.command()
@connected
@pass_session
def check(session: Session) -> None:
    """Compare the contracts on chain with ours: code, wiring, approval of the template."""
    from insitu.stack import check_contracts

    found = session.wait_for(check_contracts, session.settings)
    _show(session, found)
    session.screen.note("code, wiring and approval are right")


def _show(session: Session, contracts: dict[str, str]) -> None:
    if session.choices.as_json:
        session.screen.json(contracts)
    else:
        session.screen.facts(contracts.items())
