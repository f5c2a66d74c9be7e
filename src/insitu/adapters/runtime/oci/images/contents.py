"""Looking into unpacked images: which programs and which Python modules they have. Nothing of them is run."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from insitu.adapters.runtime.oci import linux
from insitu.domain.image_contents import PROGRAMS, ImageContents

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PACKAGES = ("site-packages", "dist-packages")
_VERSION = re.compile(r"^python(3\.[0-9]{1,2})$")
_MOST_FOLDERS, _MOST_MODULES = 100_000, 5_000


def find_contents(rootfs: Path, environment: Mapping[str, str]) -> ImageContents:
    """Look into the unpacked files of an image. Links are followed as they would be inside it, never out of it."""
    folders = environment.get("PATH", _DEFAULT_PATH).split(":")[:50]
    programs = sorted(
        name for name in PROGRAMS if any(linux.mode_in_root(rootfs, f"{place}/{name}") for place in folders)
    )
    versions: set[str] = set()
    modules: set[str] = set()
    for folder in _library_folders(rootfs):
        versions.update(_VERSION.findall(folder.name))
        if folder.name in _PACKAGES:
            modules.update(_modules(folder))
    newest = max(versions, key=lambda version: int(version.partition(".")[2]), default=None)
    return ImageContents(programs=tuple(programs), python=newest, modules=tuple(sorted(modules)[:_MOST_MODULES]))


def _library_folders(rootfs: Path) -> Iterator[Path]:
    """Python's libraries (``lib/python3.11``), and the folders of packages, which are not searched further."""
    for seen, (above, folders, _) in enumerate(os.walk(rootfs)):
        if seen > _MOST_FOLDERS:
            return
        in_lib = above.endswith("/lib")
        yield from (
            Path(above) / name for name in folders if name in _PACKAGES or (in_lib and name.startswith("python"))
        )
        folders[:] = [name for name in folders if name not in _PACKAGES]


def _modules(folder: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            name, _, kind = entry.name.partition(".")
            is_module = kind == "" if entry.is_dir(follow_symlinks=False) else kind == "py" or kind.endswith("so")
            if is_module and name.isidentifier() and name != "__pycache__":
                yield name
