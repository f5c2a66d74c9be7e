"""The marketplace's pages: open them, and compare their scripts with this release."""

from typing import TYPE_CHECKING

import click

from insitu.cli.options import asking, local
from insitu.cli.session import Session, pass_session

if TYPE_CHECKING:
    from insitu.marketplace.verifying import Verification


@click.command()
@click.argument("did", required=False)
@asking
@pass_session
def open(  # noqa: A001 - its name on the command line
    session: Session, did: str | None
) -> None:
    """Open the marketplace, or the page of an asset, in a browser; print the address too.

    insitu open
    """
    import webbrowser

    from insitu.cli.options import complete_did

    place = f"/assets/{complete_did(did)}" if did else "/"
    url = session.url + place
    session.screen.answer({"url": url}, url)
    try:
        opened = webbrowser.open(url)
    except webbrowser.Error:
        opened = False
    if not opened:
        session.screen.note("there is no browser here: open this address where there is one")


@click.group()
def marketplace() -> None:
    """Look at a marketplace before you trust its pages."""


@marketplace.command()
@click.argument("address", required=False)
@local
@pass_session
def verify(session: Session, address: str | None) -> int:
    """Compare the scripts that a marketplace serves with those of this release.

    Without ADDRESS, the marketplace on this machine. Reads its pages as a browser does. Fails (exit code 3) for a
    script that differs, is unknown, or is written into a page, and for a page whose policy allows more than those of
    this release. A server can recognise this and send others other scripts.

        insitu marketplace verify https://market.example
    """
    from insitu.domain.exit_codes import INVALID, OK

    url = address or session.settings.public_url
    found = session.wait_for(_verify, url)
    if session.choices.as_json:
        lists = {"pages": found.pages, "scripts": found.scripts, "findings": found.findings}
        session.screen.json({"holds": found.holds, **lists, "called": sorted(found.called), "unread": found.unread})
    else:
        _print(session, url, found)
    return OK if found.holds else INVALID


async def _verify(url: str) -> "Verification":
    from insitu.marketplace.verifying import verify_marketplace
    from insitu.sdk.http import Http

    async with Http(timeout=10.0) as http:
        return await verify_marketplace(http, url)


def _print(session: Session, url: str, found: "Verification") -> None:
    from insitu import __version__
    from insitu.cli.render import plain

    for finding in found.findings:
        session.screen.line(f"  ✗ {plain(finding)}")
    count = f"{len(found.scripts)} scripts and {len(found.pages)} pages"
    if found.holds:
        session.screen.line(f"{count} at {plain(url)} are those of insitu {__version__}")
        if found.called:
            session.screen.line(f"  they may also call {plain(', '.join(sorted(found.called)))}")
        if found.unread:
            session.screen.line(f"  {found.unread} more pages that they link to were not read")
        session.screen.note("  this covers neither what the server sends to others, nor your browser and wallet")
    else:
        session.screen.line(f"{plain(url)} is not the marketplace of insitu {__version__}: {count} compared")
