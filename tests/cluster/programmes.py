"""Images of programmes of this machine that are not ours: what an installation pulls from elsewhere, made from here.

PostgreSQL comes from its Debian package and anvil from npm; each image has the programmes, the libraries that they
load, a shell and a few commands, and the user that the official image has. A programme of the system stays where it is,
for it looks for its parts there; one of a clone does not, for the clone may lie below a folder that pods mount over.
"""

import hashlib
import io
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from insitu.adapters.chain.anvil import find_anvil
from insitu.adapters.runtime.oci.images.documents import CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPES, architecture
from tests.cluster.fixtures import ClusterAccess
from tests.cluster.images import Images
from tests.cluster.testbed.layout import CACHE
from tests.cluster.testbed.push import push
from tests.doubles.postgresql import find_postgresql

LINKS = ("bin", "lib", "lib64", "sbin")
COMMANDS = ("cat", "ls", "mkdir", "mv", "rm", "sed", "sh", "sleep", "touch")
LIBRARY = re.compile(r"(?:=> |^\s+)(/\S+) \(0x", re.MULTILINE)


@dataclass(frozen=True)
class Programmes:
    """What is in an image: programmes by their place there, folders of this machine at their own, and small files."""

    name: str
    programmes: Mapping[str, Path]
    folders: tuple[Path, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)

    def build(self, layout: Path) -> str:
        """Write the image into an OCI layout; return its digest."""
        found = {f"usr/bin/{name}": Path("/usr/bin") / name for name in COMMANDS}
        found |= self.programmes
        for folder in self.folders:
            inside = (path for path in folder.rglob("*") if path.is_file() and "llvmjit" not in path.name)
            found |= {str(path).lstrip("/"): path for path in inside}
        for library in _libraries(path for path in found.values() if _is_elf(path)):
            found[str(library.parent.resolve() / library.name).lstrip("/")] = library
        layer = _blob(layout, _tar(found, self.files))
        folders = {f"/{Path(place).parent}" for place in self.programmes}
        config = {
            "architecture": architecture(),
            "os": "linux",
            "config": {"Env": [f"PATH={':'.join(sorted(folders))}:/usr/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [layer[0]]},
        }
        described = _blob(layout, json.dumps(config).encode())
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPES[0],
            "config": {"mediaType": CONFIG_TYPE, "digest": described[0], "size": described[1]},
            "layers": [{"mediaType": LAYER_TYPE, "digest": layer[0], "size": layer[1]}],
        }
        return _blob(layout, json.dumps(manifest).encode())[0]


def postgresql() -> Programmes:
    """PostgreSQL with the user 999, as the official image has it."""
    programmes = find_postgresql()
    assert programmes is not None, "the test names postgresql among its needs"
    names = ("initdb", "pg_ctl", "pg_dump", "pg_isready", "postgres", "psql")
    passwd = b"root:x:0:0::/:/bin/sh\npostgres:x:999:999::/var/lib/postgresql:/bin/sh\n"
    return Programmes(
        "library/postgres",
        {str(programmes / name).lstrip("/"): programmes / name for name in names},
        (
            programmes.parent / "lib",
            Path("/usr/share/postgresql") / programmes.parent.name,
            Path("/usr/share/zoneinfo/Etc"),
            Path("/usr/lib/locale/C.utf8"),
        ),
        {"etc/passwd": passwd, "etc/group": b"root:x:0:\npostgres:x:999:\n"},
    )


def anvil() -> Programmes:
    """Foundry's development chain."""
    return Programmes("foundry-rs/foundry", {"usr/local/bin/anvil": find_anvil().resolve()})


def in_registry(access: ClusterAccess, images: Images, *names: str) -> dict[str, str]:
    """Push programmes; return `registry/name@digest` of each by its name in the manifests, and of the project's own."""
    pods = images.pods
    pushed = {"insitu": f"{access.registry}/{pods.name}@{pods.digest}"}
    for name in names:
        made = {"postgresql": postgresql, "anvil": anvil}[name]()
        layout = CACHE / "programmes" / name
        shutil.rmtree(layout, ignore_errors=True)
        pushed[name] = push(layout, made.build(layout), access.registry, made.name)
    return pushed


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _libraries(binaries: Iterable[Path]) -> set[Path]:
    answer = subprocess.run(["ldd", *binaries], capture_output=True, text=True, check=False)
    return {Path(found) for found in LIBRARY.findall(answer.stdout)}


def _tar(found: Mapping[str, Path], files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in LINKS:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, f"usr/{name}"
            archive.addfile(link)
        for name in ("dev", "proc", "sys", "tmp"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(folder)
        for name, content in sorted({**{name: path.read_bytes() for name, path in found.items()}, **files}.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644 if name in files else found[name].stat().st_mode & 0o755
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _blob(layout: Path, content: bytes) -> tuple[str, int]:
    digest = hashlib.sha256(content).hexdigest()
    folder = layout / "blobs" / "sha256"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / digest).write_bytes(content)
    return f"sha256:{digest}", len(content)
