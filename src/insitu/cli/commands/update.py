"""Changing an asset: a new version under the same DID."""

from typing import TYPE_CHECKING, Any

import click

from insitu.cli.describing import changeable
from insitu.cli.options import complete_did, connected
from insitu.cli.render import plain
from insitu.cli.session import Session, pass_session

if TYPE_CHECKING:
    from insitu.sdk.client import Client
    from insitu.sdk.publishing import Asset


@click.command()
@click.argument("did", type=complete_did)
@click.argument("files", nargs=-1, metavar="[FILE|FOLDER|URL]...")
@click.option(
    "--from", "source", metavar="FILE|-", help="Changes in JSON, like --document of publish; null removes a member."
)
@changeable
@click.option("--yes", "-y", is_flag=True, help="Do not ask before signing.")
@connected
@pass_session
def update(session: Session, /, did: str, files: tuple[str, ...], source: str | None, **options: Any) -> None:
    """Change an asset of yours: its price, files, rules or description. Its DID stays.

    What you do not name stays as it is. FILES replace all files. --allow-any, --allow and --allow-publisher together
    replace what may run. The command shows what changes before it signs.

        insitu update did:nv:… --price 12

        insitu update did:nv:… --allow did:nv:… --logs none

        insitu update did:nv:… flights-2014.csv --description "Flights of 2014"

    What was sold keeps its price and its terms. Stricter rules also hold for it.
    """
    changed: list[str] = []

    def confirm(changes: tuple[str, ...]) -> None:
        changed.extend(map(plain, changes))
        session.screen.note("\n".join(changed))
        unattended = "a new version counts at once: confirm it with --yes"
        session.screen.confirm("Sign and register this version?", yes=options["yes"], unattended=unattended)

    async def update_it(client: "Client") -> "Asset":
        from insitu.cli.publishing import named_files, read_changes

        metadata, services = await read_changes(client, did, source, options)
        listed = named_files(files) if files else None
        return await client.assets.update_asset(did, metadata, services, files=listed, confirm=confirm)

    asset = session.act(update_it, "owner")
    session.screen.note("nothing changes" if asset.reused else f"registered in {asset.transaction}")
    known = {"did": asset.did, "checksum": asset.checksum, "owner": asset.owner, "changes": changed}
    session.screen.answer(known | {"transaction": asset.transaction}, asset.did)
