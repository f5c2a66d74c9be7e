"""Turn what a publisher types into what the SDK takes: files, rules, images, documents."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from insitu.cli.describing import RULES, output_rules
from insitu.domain.errors import InsituError
from insitu.domain.media_types import media_type

if TYPE_CHECKING:
    from insitu.sdk.client import Client
    from insitu.sdk.files import FileLike
    from insitu.sdk.publishing import Asset


def is_url(text: str) -> bool:
    """Return whether the text is a URL and not a path."""
    return len(urlsplit(text).scheme) > 1 and ":" in text


def name_of_files(files: Sequence[str]) -> str:
    """Return a name for a data set that was not given one."""
    first = urlsplit(files[0]).path if is_url(files[0]) else files[0]
    return Path(first).stem or files[0]


def named_files(files: Sequence[str]) -> "list[FileLike]":
    """Return each file; a folder stands for the files in it, named by their paths below it.

    Raises ``FileMissing`` for a path that does not exist: otherwise a typing error would be sold.
    """
    named: list[FileLike] = []
    for text in files:
        path = Path(text).expanduser()
        if is_url(text):
            named.append(text)
        elif path.is_dir():
            named += [_inside(path, file) for file in sorted(path.rglob("*")) if file.is_file()]
        elif path.exists():
            named.append(path)
        else:
            raise InsituError(
                "FileMissing", f"there is no file {text}; name a file of another machine by its file: URL"
            )
    if not named:
        raise InsituError("FileMissing", f"there are no files in {', '.join(files)}")
    return named


def _inside(folder: Path, file: Path) -> dict[str, str]:
    from insitu.sdk.files import placed

    return {
        "url": placed(file).as_uri(),
        "name": file.relative_to(folder).as_posix(),
        "contentType": media_type(file.name),
        "contentLength": str(file.stat().st_size),
    }


async def allowed_algorithms(client: "Client", references: Sequence[str]) -> list[str]:
    """Return the DIDs that may run; if a checksum is given, it must be the algorithm's current one.

    Raises ``ChecksumMismatch``, ``AssetNotFound``.
    """
    from insitu.domain.integrity import onchain_checksum

    dids = []
    for reference in references:
        did, _, wanted = reference.partition("@")
        ddo = await client.assets.resolve(did)
        present = onchain_checksum(ddo)
        if wanted and wanted.lower().removeprefix("0x") != present:
            raise InsituError("ChecksumMismatch", f"{did} now has checksum {present}, but you allowed {wanted}")
        dids.append(did)
    return dids


async def chosen_images(client: "Client", wanted: Sequence[str]) -> list[dict[str, Any]]:
    """Return the named images, out of those that the gateway offers. Raises ``ImageUnknown``."""
    offered = (await client.gateway.info()).supported_containers
    chosen = []
    for name in wanted:
        fitting = [
            image
            for image in offered
            if name in {image["image"], f"{image['image']}:{image['tag']}", image["checksum"]}
        ]
        if not fitting:
            there = ", ".join(f"{image['image']}:{image['tag']}" for image in offered) or "none"
            raise InsituError("ImageUnknown", f"the gateway has no image {name}; it has: {there}")
        chosen.append(dict(fitting[0]))
    return chosen


async def publish_document(client: "Client", source: str, *, without_compute: bool) -> "Asset":
    """Publish the document in a file: a DDO, or ``{"main": …}`` with ``services``.

    It gets a new DID, proof and keys, for this account and this provider.
    """
    from insitu.cli.documents import read_json
    from insitu.domain.ddo import read_ddo

    value = read_json(source)
    if isinstance(value, dict) and "service" in value:
        ddo = read_ddo(value)
        metadata = ddo.metadata
        if metadata is None or metadata.attributes is None:
            raise InsituError("InvalidDocument", f"{source} has no metadata service", pointer="/service")
        others = [service.to_json() for service in ddo.service if service is not metadata and not service.is_empty]
        attributes = metadata.attributes.to_json()
        return await client.assets.register_asset(attributes, others, without_compute=without_compute)
    if isinstance(value, dict) and isinstance(value.get("main"), dict):
        services = value.pop("services", [])
        return await client.assets.register_asset(value, services, without_compute=without_compute)
    raise InsituError("InvalidDocument", f"{source} is not a DDO and has no main")


async def read_changes(
    client: "Client", did: str, source: str | None, options: dict[str, Any]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what ``update_asset`` takes: the changes in a file, and those of the options over them."""
    from insitu.cli.documents import read_object
    from insitu.sdk.amounts import read_amount
    from insitu.sdk.descriptions import merge_patch

    given = read_object(source) if source is not None else {}
    services = given.pop("services", [])
    main = _given(name=options["name"], author=options["author"], license=options["license_"])
    main |= {"algorithm": {"entrypoint": options["entrypoint"]}} if options["entrypoint"] else {}
    compute = _given(timeout=options["timeout"], policy=await _policy(client, options))
    if options["images"]:
        compute["provider"] = {"environment": {"supportedContainers": await chosen_images(client, options["images"])}}
    if options["price"] is not None:
        main["price"] = str((await read_amount(options["price"], client.chain)).base_units)
        compute |= {"price": main["price"]} if (await client.assets.resolve(did)).compute_services else {}
    said = _given(**{name: options[name] for name in ("description", "tags", "categories")})
    changes = _given(main=main, additionalInformation=said)
    services += [{"type": "compute", "attributes": {"main": compute}}] if compute else []
    return merge_patch(given, changes), services


async def _policy(client: "Client", options: dict[str, Any]) -> dict[str, Any]:
    from insitu.domain.policy import POLICY_VERSION

    policy = _given(**{name: options[name] for name in RULES if name != "max_executions"})
    policy |= _given(maxExecutions=options["max_executions"], output=output_rules(options))
    if options["allow_any"] or options["allowed"] or options["publishers"]:
        dids = await allowed_algorithms(client, options["allowed"])
        listed = [await client.assets.version_of(did) for did in dids]
        policy["algorithms"] = "any" if options["allow_any"] else listed or None
        policy["publishers"] = list(options["publishers"]) or None
    return policy | {"version": POLICY_VERSION} if policy else {}


def _given(**members: Any) -> dict[str, Any]:
    """Return the members that are given."""
    given = {name: list(value) if isinstance(value, tuple) else value for name, value in members.items()}
    return {name: value for name, value in given.items() if value is not None and value not in ([], {})}
