"""Container images of this machine: what algorithms run in. No daemon and no registry is needed."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from insitu.cli.options import local
from insitu.cli.render import cut, size
from insitu.cli.session import Session, pass_session
from insitu.cli.views import contents_line
from insitu.domain.errors import InsituError

if TYPE_CHECKING:
    from insitu.adapters.runtime.oci.images.store import StoredImage

__all__ = ["image"]


@click.group()
def image() -> None:
    """Build, import, list and remove container images.

    A data set names the images that may run next to it by their digest. Images lie in the data folder as an OCI
    layout, so that other tools read them, too.
    """


@image.command()
@click.option("--package", "-p", "packages", multiple=True, metavar="NAME", help="Installed Python package to include.")
@click.option("--name", default="insitu/python", show_default=True, help="Name of the image.")
@click.option("--tag", default="latest", show_default=True, help="For people; the digest decides.")
@click.option(
    "--python",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default="/usr/bin/python3",
    show_default=True,
    help="Interpreter to copy.",
)
@click.option(
    "--site-packages",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder to take packages from; default: those of this installation.",
)
@local
@pass_session
def build(
    session: Session, packages: tuple[str, ...], name: str, tag: str, python: Path, site_packages: tuple[Path, ...]
) -> None:
    """Build an image from this machine's Python, with packages and all that they require.

    The same machine and packages give the same digest.

        insitu image build -p pandas -p matplotlib --tag pandas
    """
    store = session.images

    async def made() -> "StoredImage":
        return await store.build_from_host(packages, name, tag, interpreter=python, site_packages=site_packages)

    with session.screen.activity(f"building {name}:{tag}"):
        built = session.wait_for(made)
    _show(session, built)


@image.command(name="import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--name", help="Name of the image; default: the file's.")
@click.option("--tag", default="latest", show_default=True, help="For people; the digest decides.")
@local
@pass_session
def import_(session: Session, path: Path, name: str | None, tag: str) -> None:
    """Import an OCI layout: a folder or a tar archive, as skopeo, buildah and docker save write them."""
    store, chosen = session.images, name or path.name.split(".")[0]

    with session.screen.activity(f"importing {path}"):
        imported = session.wait_for(store.import_path, path, chosen, tag)
    _show(session, imported)


@image.command()
@click.argument("reference", metavar="HOST/REPOSITORY@sha256:…")
@click.option("--insecure", is_flag=True, help="Allow plain HTTP; the digest is checked in any case.")
@local
@pass_session
def pull(session: Session, reference: str, *, insecure: bool) -> None:
    """Pull an image from a registry by its digest."""
    store = session.images

    async def pulled() -> "StoredImage":
        return await store.pull(reference, insecure=insecure)

    with session.screen.activity(f"pulling {reference}"):
        found = session.wait_for(pulled)
    _show(session, found)


@image.command(name="ls")
@local
@pass_session
def list_(session: Session) -> None:
    """List the images of this machine."""
    images = session.wait_for(session.images.list)
    if session.choices.as_json:
        session.screen.json([_as_json(one) for one in images])
        return
    if not images:
        session.screen.note("no images yet; build one: insitu image build")
        return
    rows = [
        (f"{one.name}:{one.tag}", size(one.size_bytes), one.architecture, one.digest, cut(_contents(one), 60))
        for one in images
    ]
    session.screen.table(("IMAGE", "SIZE", "FOR", "DIGEST", "WITH"), rows)


@image.command(name="rm")
@click.argument("references", nargs=-1, required=True, metavar="NAME:TAG|DIGEST...")
@local
@pass_session
def remove(session: Session, references: tuple[str, ...]) -> None:
    """Remove images. One that an execution uses stays."""
    store = session.images
    for reference in references:
        found = find(session, reference)
        session.wait_for(store.remove, found.digest)
        session.screen.note(f"removed {found.name}:{found.tag} {found.digest}")


@image.command()
@click.argument("references", nargs=-1, metavar="[NAME:TAG|DIGEST]...")
@local
@pass_session
def verify(session: Session, references: tuple[str, ...]) -> None:
    """Hash images anew, every blob and every unpacked file; all of them where none is named."""
    store = session.images
    chosen = [find(session, one) for one in references] or list(session.wait_for(store.list))
    for one in chosen:
        with session.screen.activity(f"hashing {one.name}:{one.tag}"):
            session.wait_for(store.verify, one.digest)
        session.screen.note(f"unchanged {one.name}:{one.tag} {one.digest}")
    if session.choices.as_json:
        session.screen.json([_as_json(one) for one in chosen])


def find(session: Session, reference: str) -> "StoredImage":
    """Return the image of a name, name and tag, or digest. Raises ``ImageUnknown``; a usage error if several fit."""
    images = session.wait_for(session.images.list)
    if reference.startswith("sha256:"):
        fitting = [one for one in images if reference in {one.digest, one.index_digest}]
    else:
        fitting = [one for one in images if reference in {one.name, f"{one.name}:{one.tag}"}]
    if not fitting:
        raise InsituError("ImageUnknown", f"no image {reference} is here")
    if len(fitting) > 1:
        raise click.UsageError(f"several images are called {reference}; name its digest (insitu image ls)")
    return fitting[0]


def _show(session: Session, image: "StoredImage") -> None:
    if session.choices.as_json:
        session.screen.json(_as_json(image))
        return
    session.screen.facts(
        [
            ("image", f"{image.name}:{image.tag}"),
            ("digest", image.digest),
            ("size", size(image.size_bytes)),
            ("for", image.architecture),
            ("with", _contents(image)),
        ]
    )


def _contents(image: "StoredImage") -> str:
    from insitu.domain.image_contents import ImageContents

    if image.contents is None:
        return "not known: build or import it again"
    return contents_line(ImageContents.model_validate(image.contents))


def _as_json(image: "StoredImage") -> dict[str, object]:
    """Return an image as ``supportedContainers`` has it, with what else is known."""
    return {
        "image": image.name,
        "tag": image.tag,
        "checksum": image.digest,
        "indexDigest": image.index_digest,
        "architecture": image.architecture,
        "sizeBytes": image.size_bytes,
        "contents": image.contents,
    }
