"""Publishing: a data set that stays where it is, an algorithm, or a document that is written already."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import click
from typing_extensions import override

from insitu.cli.options import connected
from insitu.cli.session import Session, pass_session

if TYPE_CHECKING:
    from insitu.sdk.client import Client
    from insitu.sdk.publishing import Asset

__all__ = ["publish"]


class _Duration(click.ParamType[int]):
    """A length of time: ``3600``, ``90min``, ``12h``, ``30d``; seconds in Python."""

    name = "duration"
    _UNITS: ClassVar = {"": 1, "s": 1, "min": 60, "h": 3600, "d": 86400}

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value).strip()
        digits = text.rstrip("abcdefghijklmnopqrstuvwxyz")
        unit = text[len(digits) :]
        if not digits.isdigit() or unit not in self._UNITS:
            self.fail(f"{text!r} is not a length of time like 3600, 90min, 12h or 30d", param, ctx)
        return int(digits) * self._UNITS[unit]


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE|FOLDER|URL]...")
@click.option("--name", help="Name of the asset; default: the first file's.")
@click.option("--algorithm", is_flag=True, help="Publish an algorithm: its files are uploaded to the gateway.")
@click.option("--document", metavar="FILE", help="Publish a document that is written already.")
@click.option("--price", default="0", show_default=True, metavar="AMOUNT", help="Tokens for each agreement.")
@click.option("--allow-any", is_flag=True, help="Every algorithm may run.")
@click.option("--allow", "allowed", multiple=True, metavar="DID[@CHECKSUM]", help="Algorithm that may run.")
@click.option("--allow-publisher", "publishers", multiple=True, metavar="ADDRESS", help="Whose algorithms may run.")
@click.option(
    "--image", "images", multiple=True, metavar="NAME:TAG|DIGEST", help="Image that may run; default: all here."
)
@click.option(
    "--timeout", type=_Duration(), default="24h", show_default=True, help="Runs may start so long after paying."
)
@click.option("--logs", type=click.Choice(["live", "none"]), help="Whether the consumer sees logs.")
@click.option("--max-executions", type=click.IntRange(1), help="Executions for each agreement; default 100.")
@click.option("--max-output", metavar="SIZE", help="Most that files and their names may carry out, e.g. 10mb.")
@click.option(
    "--max-log",
    metavar="SIZE",
    help="Most log text of one execution; default: the smaller of 64 KiB and --max-output where the output is limited.",
)
@click.option("--max-files", type=click.IntRange(1), help="Most files in one result; default 100.")
@click.option(
    "--output-type", "types", multiple=True, metavar="SUFFIX", help="Only such files may leave: .csv, or .dcm=binary."
)
@click.option("--entrypoint", metavar="COMMAND", help="How an algorithm starts; found out for a single script.")
@click.option("--description", default="", help="What it is, for people.")
@click.option("--author", default="", help="Who made it; default: the account.")
@click.option("--license", "license_", metavar="TEXT", help="Under which terms.")
@click.option("--tag", "tags", multiple=True, help="Word to be found by.")
@click.option("--category", "categories", multiple=True, help="Field that it belongs to.")
@click.option("--without-compute", is_flag=True, help="With --document: accept that nobody can compute on it.")
@connected
@pass_session
def publish(session: Session, /, files: tuple[str, ...], **options: Any) -> None:
    """Publish a data set, an algorithm, or a document. The DID is printed on standard output.

    Files of a data set are named, not moved: paths of the provider's machine, folders, or urls. Who publishes a data
    set decides what may run on it: --allow-any, --allow DID, or --allow-publisher ADDRESS.

        insitu publish flights.csv --name Flights --price 10 --allow-any

        insitu publish records/ --price 250 --allow did:nv:… --max-output 1mb --output-type .csv --logs none

        insitu publish count.py --algorithm

    The same call again gives the same DID.
    """
    _check_usage(files, options)
    work = _document if options["document"] else _algorithm if options["algorithm"] else _data_set

    async def published(client: "Client") -> "Asset":
        with session.screen.activity("publishing"):
            return await work(client, files, options)

    from insitu.cli.leaving import leaving

    asset = session.act(published, "owner" if not options["algorithm"] else "consumer")
    if session.choices.as_json:
        known = {"did": asset.did, "checksum": asset.checksum, "owner": asset.owner}
        session.screen.json(known | {"transaction": asset.transaction, "reused": asset.reused})
        return
    session.screen.note(
        "published before; this is the same asset" if asset.reused else f"registered in {asset.transaction}"
    )
    for words in leaving(asset.ddo):
        session.screen.note(words)
    session.screen.line(asset.did)


def _check_usage(files: tuple[str, ...], options: dict[str, Any]) -> None:
    rules = options["allow_any"] or options["allowed"] or options["publishers"]
    if not options["document"] and not files:
        raise click.UsageError("name a file, a folder or a url; or a document with --document")
    if not options["document"] and not options["algorithm"] and not rules:
        raise click.UsageError(
            "say what may run on this data set: --allow-any, --allow DID[@CHECKSUM] or --allow-publisher ADDRESS"
        )


async def _document(client: "Client", _: tuple[str, ...], options: dict[str, Any]) -> "Asset":
    from insitu.cli.publishing import publish_document

    return await publish_document(client, options["document"], without_compute=options["without_compute"])


async def _algorithm(client: "Client", files: tuple[str, ...], options: dict[str, Any]) -> "Asset":
    return await client.assets.publish_algorithm(
        options["name"] or Path(files[0]).name,
        [Path(file) for file in files],
        entrypoint=options["entrypoint"],
        price=options["price"],
        **_described(options),
    )


async def _data_set(client: "Client", files: tuple[str, ...], options: dict[str, Any]) -> "Asset":
    from insitu.cli.publishing import allowed_algorithms, chosen_images, name_of_files, named_files

    algorithms: Literal["any"] | list[str] = "any"
    if not options["allow_any"]:
        algorithms = await allowed_algorithms(client, options["allowed"])
    return await client.assets.publish_dataset(
        options["name"] or name_of_files(files),
        named_files(files),
        algorithms=algorithms,
        publishers=options["publishers"],
        price=options["price"],
        timeout=options["timeout"],
        containers=await chosen_images(client, options["images"]) if options["images"] else None,
        output=_output_rules(options),
        logs=options["logs"],
        max_executions=options["max_executions"],
        **_described(options),
    )


def _output_rules(options: dict[str, Any]) -> dict[str, Any] | None:
    from insitu.domain.units import parse_bytes

    rules = {
        "maxBytes": parse_bytes(options["max_output"]) if options["max_output"] else None,
        "maxFiles": options["max_files"],
        "maxLogBytes": parse_bytes(options["max_log"]) if options["max_log"] else None,
        "types": list(options["types"]) or None,
    }
    return {name: value for name, value in rules.items() if value is not None} or None


def _described(options: dict[str, Any]) -> dict[str, Any]:
    """Return what every asset says about itself."""
    told = {name: options[name] for name in ("description", "author", "tags", "categories")}
    return told | ({"license": options["license_"]} if options["license_"] else {})
