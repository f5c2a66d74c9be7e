"""The container images of this machine, which algorithms run in. They need no daemon and no registry."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from insitu.cli.options import local
from insitu.cli.render import cut, plain
from insitu.cli.session import Session, pass_session
from insitu.domain.errors import InsituError
from insitu.domain.readable import contents_line, size

if TYPE_CHECKING:
    from insitu.adapters.runtime.oci.images.store import StoredImage


@click.group()
def image() -> None:
    """Build, import, list and remove container images.

    A data set names the images that may run next to it by digest. Images are kept in the data folder as an OCI layout,
    which other tools can read.
    """


@image.command()
@click.option("--package", "-p", "packages", multiple=True, metavar="NAME", help="Installed Python package to include.")
@click.option("--name", help="Name of the image; default: insitu/python, or insitu/java.")
@click.option("--tag", default="latest", show_default=True, help="A label for people; only the digest counts.")
@click.option(
    "--python",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Interpreter to copy; default: /usr/bin/python3.",
)
@click.option(
    "--site-packages",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder to take packages from; default: this installation's.",
)
@click.option(
    "--java",
    is_flag=False,
    flag_value="",
    metavar="[JDK]",
    help="Link a Java runtime instead; JDK is its folder, by default JAVA_HOME or that of jlink.",
)
@local
@pass_session
def build(
    session: Session,
    packages: tuple[str, ...],
    name: str | None,
    tag: str,
    python: Path | None,
    site_packages: tuple[Path, ...],
    java: str | None,
) -> None:
    """Build an image from this machine's Python, with packages and their dependencies, or from its JDK.

    The same machine and packages give the same digest.

        insitu image build -p pandas -p matplotlib --tag pandas
        insitu image build --java
    """
    if java is not None and (packages or python or site_packages):
        raise click.UsageError("an image is built from Python or from Java: --java takes none of the other sources")
    called = name or ("insitu/python" if java is None else "insitu/java")
    store = session.images

    async def build_it() -> "StoredImage":
        if java is not None:
            return await store.build_java(called, tag, jdk=Path(java) if java else None)
        interpreter = python or Path("/usr/bin/python3")
        return await store.build_from_host(packages, called, tag, interpreter=interpreter, site_packages=site_packages)

    with session.screen.activity(f"building {called}:{tag}"):
        built = session.wait_for(build_it)
    _show(session, built)


@image.command(name="import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--name", help="Name of the image; default: the file name.")
@click.option("--tag", default="latest", show_default=True, help="A label for people; only the digest counts.")
@local
@pass_session
def import_(session: Session, path: Path, name: str | None, tag: str) -> None:
    """Import an OCI layout: a folder or a tar archive, as written by skopeo, buildah or docker save."""
    store, chosen = session.images, name or path.name.split(".")[0]

    with session.screen.activity(f"importing {path}"):
        imported = session.wait_for(store.import_path, path, chosen, tag)
    _show(session, imported)


@image.command()
@click.argument("reference", metavar="HOST/REPOSITORY@sha256:…")
@click.option("--insecure", is_flag=True, help="Allow plain HTTP; the digest is checked anyway.")
@local
@pass_session
def pull(session: Session, reference: str, *, insecure: bool) -> None:
    """Pull an image from a registry by its digest."""
    store = session.images

    async def pull_it() -> "StoredImage":
        return await store.pull(reference, insecure=insecure)

    with session.screen.activity(f"pulling {reference}"):
        found = session.wait_for(pull_it)
    _show(session, found)


@image.command(name="ls")
@local
@pass_session
def list_(session: Session) -> None:
    """List the images of this machine."""
    images = session.wait_for(session.images.list)
    rows = [
        (
            f"{stored.name}:{stored.tag}",
            size(stored.size_bytes),
            stored.architecture,
            stored.digest,
            cut(_contents(stored), 60),
        )
        for stored in images
    ]
    headings, nothing = ("IMAGE", "SIZE", "FOR", "DIGEST", "WITH"), "no images yet; build one: insitu image build"
    session.screen.rows([_as_json(stored) for stored in images], headings, rows, nothing=nothing)


@image.command(name="rm")
@click.argument("references", nargs=-1, required=True, metavar="NAME:TAG|DIGEST...")
@local
@pass_session
def remove(session: Session, references: tuple[str, ...]) -> None:
    """Remove images. An image that an execution is using stays."""
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
    """Hash every blob and every unpacked file of the named images again; without names, of all images."""
    store = session.images
    chosen = [find(session, reference) for reference in references] or list(session.wait_for(store.list))
    for stored in chosen:
        with session.screen.activity(f"hashing {stored.name}:{stored.tag}"):
            session.wait_for(store.verify, stored.digest)
        session.screen.note(f"unchanged {stored.name}:{stored.tag} {stored.digest}")
    if session.choices.as_json:
        session.screen.json([_as_json(stored) for stored in chosen])


def find(session: Session, reference: str) -> "StoredImage":
    """Return the image with a name, name and tag, or digest. Raises ``ImageUnknown``, or a usage error for several."""
    images = session.wait_for(session.images.list)
    if reference.startswith("sha256:"):
        fitting = [stored for stored in images if reference in {stored.digest, stored.index_digest}]
    else:
        fitting = [stored for stored in images if reference in {stored.name, f"{stored.name}:{stored.tag}"}]
    if not fitting:
        raise InsituError("ImageUnknown", f"there is no image {reference} on this machine")
    if len(fitting) > 1:
        raise click.UsageError(f"several images are called {reference}; give the digest (insitu image ls)")
    return fitting[0]


def _show(session: Session, image: "StoredImage") -> None:
    facts = [
        ("image", f"{image.name}:{image.tag}"),
        ("digest", image.digest),
        ("size", size(image.size_bytes)),
        ("for", image.architecture),
        ("with", _contents(image)),
    ]
    session.screen.answer(_as_json(image), facts)


def _contents(image: "StoredImage") -> str:
    from insitu.domain.image_contents import ImageContents

    if image.contents is None:
        return "unknown: build or import it again"
    return plain(contents_line(ImageContents.model_validate(image.contents)))


def _as_json(image: "StoredImage") -> dict[str, object]:
    """Return an image as in ``supportedContainers``, with what else is known about it."""
    return {
        "image": image.name,
        "tag": image.tag,
        "checksum": image.digest,
        "indexDigest": image.index_digest,
        "architecture": image.architecture,
        "sizeBytes": image.size_bytes,
        "contents": image.contents,
    }
