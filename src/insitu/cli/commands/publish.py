"""Publishing: a data set that stays where it is, an algorithm, or an existing document."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from insitu.cli.describing import RULES, described, output_rules
from insitu.cli.options import connected
from insitu.cli.session import Session, pass_session

if TYPE_CHECKING:
    from insitu.api.metadata_v1 import AssetStatus
    from insitu.sdk.client import Client
    from insitu.sdk.publishing import Asset


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE|FOLDER|URL]...")
@click.option("--algorithm", is_flag=True, help="Publish an algorithm: its files are uploaded to the gateway.")
@click.option("--document", metavar="FILE", help="Publish an existing document.")
@described
@click.option("--without-compute", is_flag=True, help="With --document: accept that no one can compute on it.")
@connected
@pass_session
def publish(session: Session, /, files: tuple[str, ...], **options: Any) -> None:
    """Publish a data set, an algorithm, or a document. The DID is printed on standard output.

    The files of a data set stay where they are; name them by path on the provider's machine, by folder, or by URL. You
    decide what may run on your data set: --allow-any, --allow DID, or --allow-publisher ADDRESS.

        insitu publish flights.csv --name Flights --price 10 --allow-any

        insitu publish records/ --price 250 --allow did:nv:… --max-output 1mb --output-type .csv --logs none

        insitu publish count.py --algorithm

    Repeating the call gives the same DID.
    """
    _check_usage(files, options)
    work = _publish_document if options["document"] else _publish_algorithm if options["algorithm"] else _publish_data

    async def publish_it(client: "Client") -> "tuple[Asset, AssetStatus]":
        with session.screen.activity("publishing"):
            asset = await work(client, files, options)
            return asset, await client.assets.status(asset.did)

    from insitu.cli.leaving import describe_leaving_of
    from insitu.cli.views import state_line

    asset, status = session.act(publish_it, "owner" if not options["algorithm"] else "consumer")
    session.screen.note(
        "already published; this is the same asset" if asset.reused else f"registered in {asset.transaction}"
    )
    for text in (state_line(status), *describe_leaving_of(asset.ddo)):
        session.screen.note(text)
    known = {"did": asset.did, "checksum": asset.checksum, "owner": asset.owner, "transaction": asset.transaction}
    session.screen.answer(known | {"reused": asset.reused, "state": status.state}, asset.did)


def _check_usage(files: tuple[str, ...], options: dict[str, Any]) -> None:
    rules = options["allow_any"] or options["allowed"] or options["publishers"]
    if not options["document"] and not files:
        raise click.UsageError("name a file, a folder or a URL, or a document with --document")
    if not options["document"] and not options["algorithm"] and not rules:
        raise click.UsageError(
            "say what may run on this data set: --allow-any, --allow DID[@CHECKSUM] or --allow-publisher ADDRESS;"
            " or publish an algorithm with --algorithm"
        )


async def _publish_document(client: "Client", _: tuple[str, ...], options: dict[str, Any]) -> "Asset":
    from insitu.cli.publishing import publish_document

    return await publish_document(client, options["document"], without_compute=options["without_compute"])


async def _publish_algorithm(client: "Client", files: tuple[str, ...], options: dict[str, Any]) -> "Asset":
    return await client.assets.publish_algorithm(
        options["name"] or Path(files[0]).name,
        [Path(file) for file in files],
        entrypoint=options["entrypoint"],
        price=options["price"] or 0,
        **_description(options),
    )


async def _publish_data(client: "Client", files: tuple[str, ...], options: dict[str, Any]) -> "Asset":
    from insitu.cli.publishing import allowed_algorithms, chosen_images, name_of_files, named_files

    algorithms: Literal["any"] | list[str] = "any"
    if not options["allow_any"]:
        algorithms = await allowed_algorithms(client, options["allowed"])
    return await client.assets.publish_dataset(
        options["name"] or name_of_files(files),
        named_files(files),
        algorithms=algorithms,
        publishers=options["publishers"],
        price=options["price"] or 0,
        timeout=options["timeout"] or 86400,
        containers=await chosen_images(client, options["images"]) if options["images"] else None,
        output=output_rules(options),
        **{name: options[name] for name in RULES if options[name]},
        **_description(options),
    )


def _description(options: dict[str, Any]) -> dict[str, Any]:
    """Return what every asset says about itself."""
    said = {name: options[name] or "" for name in ("description", "author", "tags", "categories")}
    return said | ({"license": options["license_"]} if options["license_"] else {})
