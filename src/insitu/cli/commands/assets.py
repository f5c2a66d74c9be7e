"""Assets: find, show, validate, stop listing, transfer."""

from typing import TYPE_CHECKING, Any

import click

from insitu.cli.documents import introduce, read_json
from insitu.cli.options import asking, complete_did, connected, local
from insitu.cli.render import ago, name_of, plain
from insitu.cli.session import Session, pass_session
from insitu.cli.views import amount, base_units, now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from insitu.api.metadata_v1 import AssetStatus, SearchPage
    from insitu.ports.chain import TokenInfo
    from insitu.sdk.client import Client
    from insitu.sdk.owned_assets import AssetVersion

OWN = "algorithms, workflows and results are unlisted until their owner lists them; --owner ADDRESS finds those too"
_SHOWN = ("number", "checksum", "block", "registrant", "changes")


@click.command()
@click.argument("words", nargs=-1)
@click.option("--type", "kind", metavar="TYPE", help="Only assets of this type: dataset, algorithm or workflow.")
@click.option("--tag", help="Only assets with this tag.")
@click.option("--author", help="Only assets by this author.")
@click.option("--owner", help="Only assets of this account, also unlisted ones.")
@click.option("--service", help="Only assets with a service of this type, such as compute.")
@click.option("--max-price", metavar="AMOUNT", help="Only assets that cost at most this many tokens.")
@click.option(
    "--sort",
    type=click.Choice(["relevance", "date", "price"]),
    default="relevance",
    show_default=True,
    help="Order of the results.",
)
@click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Page of the results.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="Results per page.")
@asking
@pass_session
def search(session: Session, /, words: tuple[str, ...], kind: str | None, limit: int, **filters: Any) -> None:
    """Find data sets, algorithms and workflows.

    Without WORDS, list everything. Algorithms, workflows and results appear only if their owner listed them (insitu
    list), or with --owner.

        insitu search flights --type dataset
    """
    token = session.token
    if (highest := filters.pop("max_price")) is not None:
        filters["price_max"] = base_units(highest, token)
    wanted = {"text": " ".join(words), "type": kind, "offset": limit, **filters}
    page = session.wait_for(_query, session, {name: value for name, value in wanted.items() if value is not None})
    if session.choices.as_json:
        session.screen.json(page)
        return
    if not page.results:
        session.screen.note("nothing found" if wanted.get("owner") else f"nothing found; {OWN}")
        return
    session.screen.table(
        ("NAME", "TYPE", "PRICE", "PUBLISHED", "DID"), [_row(document, token) for document in page.results]
    )
    for did in page.unlisted:
        session.screen.note(f"unlisted, so strangers do not find it: {plain(did)} (insitu list)")
    if page.total_pages > page.page:
        session.screen.note(
            f"page {page.page} of {page.total_pages}, {page.total_results} in all; for more: --page {page.page + 1}"
        )


async def _query(session: Session, wanted: dict[str, Any]) -> "SearchPage":
    """Ask the catalogue. Looking around needs neither a key nor a chain."""
    from insitu.api.metadata_v1 import SearchRequest
    from insitu.sdk.http import Http
    from insitu.sdk.metadata import MetadataClient, read_filters

    request = read_filters(SearchRequest, wanted)
    async with Http() as http:
        return await MetadataClient(http, session.metadata_url).search(request)


def _row(document: dict[str, Any], token: "TokenInfo | None") -> tuple[str, str, str, str, str]:
    from insitu.cli.documents import published_at
    from insitu.domain.asset_price import price_of
    from insitu.domain.ddo import read_ddo

    ddo = read_ddo(document)
    price, since = price_of(ddo), published_at(ddo)
    return (
        name_of(str(ddo.main.get("name") or "")),
        name_of(ddo.asset_type),
        "–" if price is None else amount(price, token),
        "–" if since is None else ago(since, now()),
        str(ddo.id),
    )


@click.command()
@click.argument("did", type=complete_did)
@click.option("--checksum", help="Show an earlier version, by its on-chain checksum.")
@click.option("--versions", is_flag=True, help="List its versions: who registered each, and what it changed.")
@connected
@pass_session
def show(session: Session, did: str, checksum: str | None, *, versions: bool) -> None:
    """Show an asset: its owner, services, prices and rules. The document is verified."""
    from insitu.cli.asset_views import asset_facts

    async def show_it(client: "Client") -> None:
        if versions:
            _print_versions(session, await client.assets.versions(did))
            return
        ddo = await client.assets.resolve(did, checksum)
        if session.choices.as_json:
            session.screen.json(ddo.to_json())
            return
        token, owner = await client.chain.token(), await client.assets.owner(did)
        status = await client.assets.status(did)
        known = await client.assets.image_contents() if ddo.compute_services else {}
        for heading, pairs in asset_facts(ddo, owner, status, token, known):
            if heading:
                session.screen.line(f"\n{click.style(heading, bold=True)}")
            session.screen.facts(pairs)

    session.act(show_it)


def _print_versions(session: Session, versions: "Sequence[AssetVersion]") -> None:
    if session.choices.as_json:
        session.screen.json([{name: getattr(version, name) for name in _SHOWN} for version in versions])
        return
    for version in versions:
        dated = plain(version.ddo.updated or version.ddo.created or "") if version.ddo else "document gone"
        session.screen.line(f"version {version.number}, {dated}, block {version.block}, by {version.registrant}")
        for text in (f"checksum {version.checksum}", *version.changes):
            session.screen.line(f"  {plain(text)}")


@click.command()
@click.argument("file", metavar="FILE|-")
@click.option("--without-compute", is_flag=True, help="Accept a data set that no one can compute on.")
@local
@pass_session
def validate(session: Session, file: str, *, without_compute: bool) -> None:
    """Say what a document is, and whether this release would publish it. Nothing is published.

    Shows everything that is wrong, and where (JSON pointers).
    """
    from insitu.domain.ddo import read_ddo
    from insitu.domain.validation import validate_ddo

    ddo = read_ddo(read_json(file))
    session.screen.note(introduce(ddo))
    validate_ddo(ddo, without_compute=without_compute, new=True)
    valid = {"valid": True, "did": ddo.id, "type": ddo.asset_type}
    session.screen.answer(valid, f"valid: {name_of(ddo.asset_type)} {ddo.id}")


@click.command()
@click.argument("did", type=complete_did)
@click.option(
    "--now", is_flag=True, help="Also let nothing start on it, and return the prices of agreements without a charge."
)
@click.option("--stop-running", is_flag=True, help="With --now: also stop what is running on it.")
@connected
@pass_session
def pause(session: Session, did: str, *, now: bool, stop_running: bool) -> None:
    """Stop listing an asset. Existing purchases stay usable, unless --now is given.

                                   without   --now     --now --stop-running
        it is found and sold       no        no        no
        executions start           yes       no        no
        executions that wait       go on     end       end
        executions that run        go on     go on     end
        prices without a charge    stay      go back   go back
        prices with a charge       stay      stay      stay

    With --now every provider of the asset is removed in the registry. A charge is what a success has cost, or what a
    failure at the consumer's risk will cost. insitu resume undoes it.
    """

    async def pause_it(client: "Client") -> None:
        if now and (await client.assets.pause(did, stop_running=stop_running)).here_alone:
            session.screen.note("the gateway's own account owns the asset, so only this gateway obeys the pause")
        status = await (client.assets.status if now else client.assets.retire)(did)
        _show_status(session, status)

    session.act(pause_it, "owner")


@click.command()
@click.argument("did", type=complete_did)
@connected
@pass_session
def resume(session: Session, did: str) -> None:
    """End the pause of an asset: let it be used again, and list the same document as a new version."""

    async def resume_it(client: "Client") -> None:
        _show_status(session, await client.assets.resume(did))

    session.act(resume_it, "owner")


def _show_status(session: Session, status: "AssetStatus") -> None:
    session.screen.answer(status, f"{status.state} {status.did}")


@click.command()
@click.argument("did", type=complete_did)
@click.argument("recipient", metavar="ADDRESS")
@click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
@connected
@pass_session
def transfer(session: Session, did: str, recipient: str, *, yes: bool) -> None:
    """Transfer an asset to another owner. This cannot be undone.

    If the account has no coin for gas, it signs the transfer and the gateway sends it.
    """

    async def transfer_it(client: "Client") -> None:
        ddo = await client.assets.resolve(did)
        session.screen.note(
            f"{name_of(str(ddo.main.get('name') or ''))}  {did}\nfrom  {client.account}\nto    {recipient}"
        )
        session.screen.confirm("Transfer the asset?", yes=yes, unattended="a transfer is final: confirm it with --yes")
        transaction = await client.assets.transfer(did, recipient)
        session.screen.answer({"did": did, "owner": recipient, "transaction": transaction}, transaction)

    session.act(transfer_it, "owner")
