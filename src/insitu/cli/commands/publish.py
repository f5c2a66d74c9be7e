"""Publishing: a data set that stays where it is, an algorithm, or an existing document."""

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


REVISIONS = ("none", "untilSuccess", "always")
_RULES = ("consumers", "use", "logs", "revisions", "parameters", "failures", "data", "max_executions")
"""Options that the SDK has under the same names; without them it has its own defaults."""


class _Duration(click.ParamType[int]):
    """A length of time: ``3600``, ``90min``, ``12h``, ``30d``; its value is in seconds."""

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
@click.option("--document", metavar="FILE", help="Publish an existing document.")
@click.option("--price", default="0", show_default=True, metavar="AMOUNT", help="Tokens for each agreement.")
@click.option("--allow-any", is_flag=True, help="Every algorithm may run.")
@click.option("--allow", "allowed", multiple=True, metavar="DID[@CHECKSUM]", help="An algorithm that may run.")
@click.option(
    "--allow-publisher", "publishers", multiple=True, metavar="ADDRESS", help="An account whose algorithms may run."
)
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="NAME:TAG|DIGEST",
    help="An image that may run; default: all of this provider's.",
)
@click.option(
    "--timeout", type=_Duration(), default="24h", show_default=True, help="How long after the purchase runs may start."
)
@click.option(
    "--consumer", "consumers", multiple=True, metavar="ADDRESS", help="An account that may buy; default: any."
)
@click.option("--use", metavar="TEXT", help="What the data may be used for; shown before anyone pays.")
@click.option("--logs", type=click.Choice(["live", "none"]), help="Whether the consumer sees the logs; default: live.")
@click.option(
    "--max-executions", type=click.IntRange(1), help="Most per agreement; default: 100, and one for each day."
)
@click.option("--revisions", type=click.Choice(REVISIONS), help="When a workflow may change; default: untilSuccess.")
@click.option("--parameter", "parameters", multiple=True, metavar="NAME", help="A parameter that an execution may set.")
@click.option("--failures", type=click.Choice(["charged", "free"]), help="If nothing succeeded; default: charged.")
@click.option("--data", type=click.Choice(["newest", "pinned"]), help="Which files executions read; default: newest.")
@click.option("--max-output", metavar="SIZE", help="Most bytes that files and their names may take out, e.g. 10mb.")
@click.option(
    "--max-log",
    metavar="SIZE",
    help="Most log text per execution; default: 64 KiB, or --max-output if smaller, where the output is limited.",
)
@click.option("--max-files", type=click.IntRange(1), help="Most files per result; default 100.")
@click.option(
    "--output-type",
    "types",
    multiple=True,
    metavar="SUFFIX",
    help="Only files of this type may leave: .csv, or .dcm=binary.",
)
@click.option("--entrypoint", metavar="COMMAND", help="How the algorithm starts; not needed for a single script.")
@click.option("--description", default="", help="What it is, for people.")
@click.option("--author", default="", help="Who made it; default: the account.")
@click.option("--license", "license_", metavar="TEXT", help="The license.")
@click.option("--tag", "tags", multiple=True, help="A word to find it by.")
@click.option("--category", "categories", multiple=True, help="A field it belongs to.")
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

    async def publish_it(client: "Client") -> "Asset":
        with session.screen.activity("publishing"):
            return await work(client, files, options)

    from insitu.cli.leaving import describe_leaving_of

    asset = session.act(publish_it, "owner" if not options["algorithm"] else "consumer")
    if session.choices.as_json:
        known = {"did": asset.did, "checksum": asset.checksum, "owner": asset.owner}
        session.screen.json(known | {"transaction": asset.transaction, "reused": asset.reused})
        return
    session.screen.note(
        "already published; this is the same asset" if asset.reused else f"registered in {asset.transaction}"
    )
    for text in describe_leaving_of(asset.ddo):
        session.screen.note(text)
    session.screen.line(asset.did)


def _check_usage(files: tuple[str, ...], options: dict[str, Any]) -> None:
    rules = options["allow_any"] or options["allowed"] or options["publishers"]
    if not options["document"] and not files:
        raise click.UsageError("name a file, a folder or a URL, or a document with --document")
    if not options["document"] and not options["algorithm"] and not rules:
        raise click.UsageError(
            "say what may run on this data set: --allow-any, --allow DID[@CHECKSUM] or --allow-publisher ADDRESS"
        )


async def _publish_document(client: "Client", _: tuple[str, ...], options: dict[str, Any]) -> "Asset":
    from insitu.cli.publishing import publish_document

    return await publish_document(client, options["document"], without_compute=options["without_compute"])


async def _publish_algorithm(client: "Client", files: tuple[str, ...], options: dict[str, Any]) -> "Asset":
    return await client.assets.publish_algorithm(
        options["name"] or Path(files[0]).name,
        [Path(file) for file in files],
        entrypoint=options["entrypoint"],
        price=options["price"],
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
        price=options["price"],
        timeout=options["timeout"],
        containers=await chosen_images(client, options["images"]) if options["images"] else None,
        output=_output_rules(options),
        **{name: options[name] for name in _RULES if options[name]},
        **_description(options),
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


def _description(options: dict[str, Any]) -> dict[str, Any]:
    """Return what every asset says about itself."""
    described = {name: options[name] for name in ("description", "author", "tags", "categories")}
    return described | ({"license": options["license_"]} if options["license_"] else {})
