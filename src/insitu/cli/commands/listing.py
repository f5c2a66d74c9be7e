"""Who finds an asset: its owner lists it or not, and a curator of the catalogue hides it."""

from typing import TYPE_CHECKING

import click

from insitu.cli.options import connected
from insitu.cli.session import Session, pass_session
from insitu.cli.views import state_line

if TYPE_CHECKING:
    from insitu.api.metadata_v1 import AssetStatus


@click.command()
@click.argument("did")
@connected
@pass_session
def list(  # noqa: A001 - its name on the command line
    session: Session, did: str
) -> None:
    """Let strangers find an asset in searches.

    Data sets are listed when they are published; algorithms, workflows and results are not. Either way an asset can be
    used by its DID, and is found by a search for its owner.
    """
    _set_listed(session, did, listed=True)


@click.command()
@click.argument("did")
@connected
@pass_session
def unlist(session: Session, did: str) -> None:
    """Take an asset off the lists. It can still be bought and used by its DID, unlike after insitu pause."""
    _set_listed(session, did, listed=False)


@click.command()
@click.argument("did")
@click.option("--reason", required=True, help="Why; everybody who looks at the asset sees it.")
@connected
@pass_session
def hide(session: Session, did: str, reason: str) -> None:
    """Keep an asset off the catalogue's lists, whatever its owner asks. For curators (metadata.curators)."""
    _print(session, session.act(lambda client: client.assets.hide(did, reason), "provider"))


@click.command()
@click.argument("did")
@connected
@pass_session
def unhide(session: Session, did: str) -> None:
    """Undo insitu hide: what the owner asked for holds again."""
    _print(session, session.act(lambda client: client.assets.unhide(did), "provider"))


def _set_listed(session: Session, did: str, *, listed: bool) -> None:
    role = session.wait_for(_role, session, did)
    _print(session, session.act(lambda client: client.assets.set_listed(did, listed=listed), role))


async def _role(session: Session, did: str) -> str:
    """Return which development account published it."""
    from insitu.domain.catalogue_requests import is_listed_by_default
    from insitu.domain.ddo import read_ddo
    from insitu.sdk.http import Http
    from insitu.sdk.metadata import MetadataClient

    async with Http() as http:
        document = await MetadataClient(http, session.metadata_url).document(did)
    return "owner" if is_listed_by_default(read_ddo(document).main) else "consumer"


def _print(session: Session, status: "AssetStatus") -> None:
    session.screen.answer(status, f"{status.did}  {state_line(status)}")
