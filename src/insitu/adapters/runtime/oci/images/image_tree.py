"""What goes into an image that is built from files of this machine, and its blobs.

It has one uncompressed layer with sorted entries, no times and no owners, so that the same files give the same digest.
"""

import hashlib
import json
import re
import subprocess
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from insitu.adapters.runtime.oci.images.documents import (
    CONFIG_TYPE,
    LAYER_TYPE,
    MANIFEST_TYPES,
    Descriptor,
    architecture,
)
from insitu.adapters.runtime.oci.images.layout import blob_path

PATH = "/usr/local/bin:/usr/bin:/bin"
_COMMANDS = ("sh", "cat", "cp", "env", "head", "ls", "mkdir", "mv", "rm", "sleep", "sort", "tail", "touch", "wc")
_FILES = {
    "etc/group": b"root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": b"passwd: files\ngroup: files\nhosts: files\n",
    "etc/passwd": b"root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
}
_LINKS = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")


@dataclass(slots=True)
class ImageTree:
    """Entries of the layer by their name in the image: a file of the host, bytes, or a link."""

    files: dict[str, Path] = field(default_factory=dict)
    data: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def add_system(self) -> list[Path]:
        """Add the few files that every program expects, and a shell with a few commands; return the commands."""
        self.data |= _FILES
        for name in _LINKS:
            link = Path("/") / name
            if link.is_symlink():
                self.links[name] = str(link.readlink())
        return [self.add(path) for name in _COMMANDS if (path := _command(name)) is not None]

    def add(self, path: Path) -> Path:
        """Add a file and every link on the way to it; return the file itself."""
        place = _place(path)
        while place.is_symlink():
            self.links[str(place).lstrip("/")] = str(place.readlink())
            place = _place(place.parent / place.readlink())
        self.files[str(place).lstrip("/")] = place
        return place

    def add_libraries(self, binaries: Iterable[Path]) -> set[Path]:
        """Add what the loader would load from the system's folders and is not there yet; return all it would load."""
        asked = sorted({str(path) for path in binaries})
        present = {path.resolve() for path in self.files.values()}
        loaded: set[Path] = set()
        for start in range(0, len(asked), 200):
            answer = subprocess.run(["ldd", *asked[start : start + 200]], capture_output=True, text=True, check=False)
            loaded |= {Path(found) for found in re.findall(r"(?:=> |^\s+)(/\S+) \(0x", answer.stdout, re.MULTILINE)}
        for library in sorted(loaded):
            if library.resolve() not in present:
                self.add(library)
        return loaded

    def write(self, environment: Mapping[str, str], revision: str, layout: Path) -> Descriptor:
        """Write layer, configuration and manifest into a layout folder; return the manifest's descriptor."""
        layer = _write_layer(self, layout)
        config = {
            "architecture": architecture(),
            "os": "linux",
            "config": {"Env": [f"{name}={value}" for name, value in environment.items()], "WorkingDir": "/"},
            "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
            "history": [{"created_by": f"insitu image build (revision {revision})"}],
        }
        configuration = _write_json(config, CONFIG_TYPE, layout)
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPES[0],
            "config": configuration.to_json(),
            "layers": [layer.to_json()],
        }
        return _write_json(manifest, MANIFEST_TYPES[0], layout)


def is_shared(name: str) -> bool:
    """Whether a file is a shared library, by its name."""
    return name.endswith(".so") or ".so." in name


def _place(path: Path) -> Path:
    """Resolve the folder of a file but not its name: ``/lib/x.so.1`` is in ``/usr/lib``, and may be a link there."""
    return path.parent.resolve() / path.name


def _command(name: str) -> Path | None:
    for folder in ("/usr/bin", "/bin"):
        path = Path(folder) / name
        if path.is_file():
            return path
    return None


def _write_json(document: dict[str, Any], media_type: str, layout: Path) -> Descriptor:
    data = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    blob_path(layout, digest).write_bytes(data)
    return Descriptor(media_type, digest, len(data))


def _write_layer(tree: ImageTree, layout: Path) -> Descriptor:
    draft = layout / "layer.draft"
    with tarfile.open(draft, "w", format=tarfile.GNU_FORMAT) as archive:
        for entry, content in _entries(tree):
            if isinstance(content, Path):
                with content.open("rb") as file:
                    archive.addfile(entry, file)
            else:
                archive.addfile(entry, BytesIO(content))
    with draft.open("rb") as file:
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    size = draft.stat().st_size
    draft.rename(blob_path(layout, digest))
    return Descriptor(LAYER_TYPE, digest, size)


def _entries(tree: ImageTree) -> Iterator[tuple[tarfile.TarInfo, Path | bytes]]:
    names = {*tree.files, *tree.data, *tree.links}
    folders = {str(above) for name in names for above in Path(name).parents if str(above) != "."}
    folders |= {"dev", "mnt", "proc", "sys", "tmp"}
    for name in sorted(names | folders):
        entry = tarfile.TarInfo(name)
        content: Path | bytes = b""
        if name in tree.links:
            entry.type, entry.linkname = tarfile.SYMTYPE, tree.links[name]
        elif name in folders:
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
        elif name in tree.data:
            content = tree.data[name]
            entry.size, entry.mode = len(content), 0o644
        else:
            content = tree.files[name]
            found = content.stat()
            entry.size, entry.mode = found.st_size, 0o755 if found.st_mode & 0o100 else 0o644
        yield entry, content
