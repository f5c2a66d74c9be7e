"""Who finds an asset: its owner lists it or not, and a curator of the catalogue hides or features it."""

from typing import TYPE_CHECKING

import click

from insitu.cli.options import asking, connected
from insitu.cli.render import plain
from insitu.cli.session import Session, pass_session
from insitu.cli.views import state_line

if TYPE_CHECKING:
    from insitu.api.metadata_v1 import AssetStatus, CuratedPage
    from insitu.ports.catalog import Curation


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


@click.command()
@click.argument("did")
@click.option("--reason", required=True, help="Why; everybody who looks at the asset sees it.")
@connected
@pass_session
def feature(session: Session, did: str, reason: str) -> None:
    """Let pages of the catalogue show an asset first. For curators (metadata.curators)."""
    _print(session, session.act(lambda client: client.assets.feature(did, reason), "provider"))


@click.command()
@click.argument("did")
@connected
@pass_session
def unfeature(session: Session, did: str) -> None:
    """Undo insitu feature."""
    _print(session, session.act(lambda client: client.assets.unfeature(did), "provider"))


@click.command()
@click.argument("what", type=click.Choice(["hidden", "featured"]))
@click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Page of the list.")
@asking
@pass_session
def curated(session: Session, what: "Curation", page: int) -> None:
    """List what curators hide or feature now, and why."""
    found = session.wait_for(_curated, session, what, page)
    rows = [(asset.did, asset.curator or "", plain(asset.reason)) for asset in found.results]
    session.screen.rows(found, ("DID", "BY", "WHY"), rows, nothing=f"nothing is {what}")


async def _curated(session: Session, what: "Curation", page: int) -> "CuratedPage":
    """Ask the catalogue. Looking around needs neither a key nor a chain."""
    from insitu.api.metadata_v1 import CuratedRequest
    from insitu.sdk.http import Http
    from insitu.sdk.metadata import MetadataClient

    async with Http() as http:
        return await MetadataClient(http, session.metadata_url).curated(CuratedRequest(what=what, page=page))


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
