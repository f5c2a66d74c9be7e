"""The two images of the cluster's tests: an algorithm's, and the project's own, both from the host's Python."""

import hashlib
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from insitu.adapters.runtime.oci.images.store import ImageStore, StoredImage
from tests.cluster.testbed.layout import CACHE, ROOT

IMAGES = CACHE / "images"
SITE_PACKAGES = Path(str(metadata.distribution("pydantic").locate_file("")))


@dataclass(frozen=True)
class Images:
    """``python`` is what algorithms run in; ``pods`` holds this working tree: configure, publish, and every service."""

    store: ImageStore
    python: StoredImage
    pods: StoredImage

    @property
    def layout(self) -> Path:
        """The OCI image layout that holds both."""
        return IMAGES


async def build_images() -> Images:
    """Build what has changed since the last time."""
    store = ImageStore(IMAGES)
    python = await store.build_from_host([], "insitu/python", "test")
    sources = _installed_sources()
    pods = await store.build_from_host(
        ["insitu[cluster,marketplace,object-store,postgresql]"],
        "insitu/pods",
        "test",
        site_packages=[sources, SITE_PACKAGES],
    )
    for image in await store.list():
        if image.name == pods.name and image.digest != pods.digest:
            await store.remove(image.digest)
    return Images(store, python, pods)


def _installed_sources() -> Path:
    """Lay the working tree out as an installer would; its version names its content, so a change is a new image."""
    source = ROOT / "src" / "insitu"
    files = sorted(path for path in source.rglob("*") if path.is_file() and path.suffix != ".pyc")
    digest = hashlib.sha256()
    for path in files:
        digest.update(str(path.relative_to(source)).encode() + b"\0" + path.read_bytes())
    version = f"0+{digest.hexdigest()[:16]}"
    folder = CACHE / "sources" / digest.hexdigest()[:16]
    if folder.exists():
        return folder
    shutil.rmtree(folder.parent, ignore_errors=True)
    draft = folder.with_suffix(".draft")
    shutil.copytree(source, draft / "insitu", ignore=shutil.ignore_patterns("__pycache__"))
    described = metadata.metadata("insitu").as_string()
    lines = [f"Version: {version}" if line.startswith("Version: ") else line for line in described.splitlines()]
    information = draft / f"insitu-{version}.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("\n".join(lines))
    names = [f"insitu/{path.relative_to(source)}" for path in files]
    record = [*names, f"{information.name}/METADATA", f"{information.name}/RECORD"]
    (information / "RECORD").write_text("".join(f"{name},,\n" for name in record))
    draft.rename(folder)
    return folder
