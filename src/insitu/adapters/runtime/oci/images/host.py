"""An image from the host's own Python: no registry, no network, about a second.

It has one uncompressed layer with sorted entries, no times and no owners, so that the same host gives the same digest.
The layer holds the interpreter, its standard library, the shared libraries that they need, a shell with a few commands,
and the named distributions with everything that they require. Python is compiled ahead of time (*unchecked-hash*),
because nothing can be written next to it later.
"""

import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib import metadata
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
from insitu.domain.errors import InsituError

_COMPILERS = 4
REVISION = "3"
"""Counts changes of this builder, so that an image of an older one is built again."""

_COMMANDS = ("sh", "cat", "cp", "env", "head", "ls", "mkdir", "mv", "rm", "sleep", "sort", "tail", "touch", "wc")
_LEFT_OUT = {
    "__pycache__", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "test", "tests", "tkinter", "turtledemo", "venv",
}  # fmt: skip
_LINKS = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")
_PATH = "/usr/local/bin:/usr/bin:/bin"
_FILES = {
    "etc/group": b"root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": b"passwd: files\ngroup: files\nhosts: files\n",
    "etc/passwd": b"root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
}
_NAMES = b"passwd: files\ngroup: files\nhosts: files dns\n"
"""The project's own image finds its neighbours by name; an algorithm has no network to ask."""
_CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
"""Whom the project's own image trusts: libraries that are not Python look here, and do nothing if it is missing."""
_ASK = """
import json, os, site, sys, sysconfig
print(json.dumps({
    "executable": os.path.realpath(sys.executable), "version": sys.version, "prefix": sys.base_prefix,
    "stdlib": sysconfig.get_path("stdlib"), "dynload": sysconfig.get_config_var("DESTSHARED") or "",
    "packages": site.getsitepackages()[0], "tag": sys.implementation.cache_tag,
}))
"""
_COMPILE = """
import importlib.util, os, py_compile, sys
mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
for line in sys.stdin:
    source, shown, target = line.rstrip("\\n").split("\\0")
    try:
        py_compile.compile(source, target, shown, doraise=True, invalidation_mode=mode, quiet=2)
    except py_compile.PyCompileError:
        pass  # templates and tests of syntax errors are not modules
"""


@dataclass(frozen=True, slots=True)
class HostImage:
    """What to build: an interpreter of the host, and distributions from folders (default: this process's)."""

    interpreter: Path
    packages: tuple[str, ...]
    site_packages: tuple[Path, ...] = ()


@dataclass(slots=True)
class _Tree:
    """Entries of the layer by their name in the image: a file of the host, bytes, or a link."""

    files: dict[str, Path] = field(default_factory=dict)
    data: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)


def host_key(wanted: HostImage) -> str:
    """Return a key of what an image would be made of, without building it: equal keys give equal images."""
    interpreter = wanted.interpreter.resolve()
    if not interpreter.is_file():
        raise InsituError("ArchiveInvalid", f"there is no interpreter {wanted.interpreter}")
    found = interpreter.stat()
    parts = [REVISION, str(interpreter), str(found.st_size), str(found.st_mtime_ns), *platform.libc_ver()]
    parts += [f"{d.name}=={d.version}" for d in _closure(wanted)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def build_host_image(wanted: HostImage, layout: Path) -> Descriptor:
    """Write the image's blobs into a layout folder; return its manifest's descriptor. Raises ``ArchiveInvalid``."""
    (layout / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
    python = _ask(wanted.interpreter)
    tree = _Tree()
    for name, data in _FILES.items():
        tree.data[name] = data
    for name in _LINKS:
        link = Path("/") / name
        if link.is_symlink():
            tree.links[name] = str(link.readlink())
    binaries = [_add(tree, Path(python["executable"]))]
    binaries += [_add(tree, path) for name in _COMMANDS if (path := _command(name)) is not None]
    short = f"{Path(python['executable']).parent}/python"
    for alias in (short, f"{short}3"):
        if (name := alias.lstrip("/")) not in tree.files:
            tree.links[name] = Path(python["executable"]).name
    binaries += _add_folder(tree, Path(python["stdlib"]), python["stdlib"])
    if python["dynload"] and not python["dynload"].startswith(python["stdlib"]):
        binaries += _add_folder(tree, Path(python["dynload"]), python["dynload"])
    distributions = {distribution.name: distribution for distribution in _closure(wanted)}
    for distribution in distributions.values():
        binaries += _add_distribution(tree, distribution, python["packages"])
    if "insitu" in distributions:
        tree.data["etc/nsswitch.conf"] = _NAMES
        if (known := distributions.get("certifi")) is not None:
            tree.files[_CERTIFICATES] = Path(str(known.locate_file("certifi/cacert.pem")))
    _add_libraries(tree, binaries)
    compiled = layout / "compiled"
    _compile(tree, wanted.interpreter, python["tag"], compiled)
    return _write_blobs(tree, str(Path(python["executable"]).parent), layout)


def _ask(interpreter: Path) -> dict[str, str]:
    command = [str(interpreter), "-I", "-c", _ASK]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise InsituError("ArchiveInvalid", f"{interpreter} does not run: {answer.stderr.strip()[-200:]}")
    facts: dict[str, str] = json.loads(answer.stdout)
    return facts


# ---------------------------------------------------------------------------------------------------- what goes in


def _place(path: Path) -> Path:
    """Resolve the folder of a file but not its name: ``/lib/x.so.1`` is in ``/usr/lib``, and may be a link there."""
    return path.parent.resolve() / path.name


def _add(tree: _Tree, path: Path) -> Path:
    """Add a file and every link on the way to it; return the file itself."""
    place = _place(path)
    while place.is_symlink():
        tree.links[str(place).lstrip("/")] = str(place.readlink())
        place = _place(place.parent / place.readlink())
    tree.files[str(place).lstrip("/")] = place
    return place


def _command(name: str) -> Path | None:
    for folder in ("/usr/bin", "/bin"):
        path = Path(folder) / name
        if path.is_file():
            return path
    return None


def _add_folder(tree: _Tree, source: Path, target: str) -> list[Path]:
    """Add a folder of Python code; return its shared libraries."""
    shared = []
    for folder, below, names in os.walk(source):
        left_out = _LEFT_OUT | {name for name in below if name.endswith("-packages") or name.startswith("config-")}
        below[:] = sorted(set(below) - left_out)
        for name in names:
            path = Path(folder) / name
            if name.endswith((".pyc", ".a", ".exe")) or not path.is_file():
                continue
            tree.files[f"{target}/{path.relative_to(source)}".lstrip("/")] = path
            if _is_shared(name):
                shared.append(path)
    return shared


def _closure(wanted: HostImage) -> list[metadata.Distribution]:
    """Return the named distributions and what they require here, sorted by name. Raises ``ExtraMissing``."""
    from packaging.requirements import Requirement

    where = [str(path) for path in wanted.site_packages] or sys.path
    found: dict[str, metadata.Distribution] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(name, "") for name in wanted.packages]
    while waiting:
        name, by = waiting.pop()
        requirement = Requirement(name)
        key = _normal(requirement.name)
        # An extra can ask for other extras of its own distribution.
        asked = {(key, extra) for extra in requirement.extras or {""}}
        if asked <= seen:
            continue
        seen |= asked
        distribution = next(iter(metadata.distributions(name=requirement.name, path=where)), None)
        if distribution is None:
            needed = f", which {by} requires," if by else ""
            raise InsituError("ExtraMissing", f"the distribution {requirement.name}{needed} is not installed")
        found[key] = distribution
        extras = requirement.extras or {""}
        for text in distribution.requires or ():
            following = Requirement(text)
            if following.marker is None or any(following.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append((text, distribution.name))
    return [found[key] for key in sorted(found)]


def _normal(name: str) -> str:
    """Normalise a name (PEP 503): lower-case letters, and one dash for each run of ``-_.``."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _add_distribution(tree: _Tree, distribution: metadata.Distribution, target: str) -> list[Path]:
    """Add the files that the distribution's RECORD lists inside its folder; no scripts, no ``.pth``.

    Raises ``ArchiveInvalid`` for one whose files are elsewhere: the image would silently lack them.
    """
    if json.loads(distribution.read_text("direct_url.json") or "{}").get("dir_info", {}).get("editable"):
        detail = f"{distribution.name} is installed as editable: install it properly, or name --site-packages"
        raise InsituError("ArchiveInvalid", detail)
    shared = []
    for file in distribution.files or ():
        parts = file.parts
        if ".." in parts or file.is_absolute() or "__pycache__" in parts or file.name.endswith((".pth", ".pyc")):
            continue
        if len(parts) > 2 and parts[1] == "tests":  # large, and never imported by the package itself
            continue
        path = Path(str(distribution.locate_file(file)))
        if not path.is_file():
            continue
        tree.files[f"{target}/{file}".lstrip("/")] = path
        if _is_shared(file.name):
            shared.append(path)
    return shared


def _is_shared(name: str) -> bool:
    return name.endswith(".so") or ".so." in name


def _add_libraries(tree: _Tree, binaries: Iterable[Path]) -> None:
    """Add what the loader would load from the system's folders; what wheels bring along is there already."""
    asked = sorted({str(path) for path in binaries})
    present = {path.resolve() for path in tree.files.values()}
    for start in range(0, len(asked), 200):
        answer = subprocess.run(["ldd", *asked[start : start + 200]], capture_output=True, text=True, check=False)
        for library in sorted(set(re.findall(r"(?:=> |^\s+)(/\S+) \(0x", answer.stdout, re.MULTILINE))):
            if Path(library).resolve() not in present:
                _add(tree, Path(library))


def _compile(tree: _Tree, interpreter: Path, tag: str, folder: Path) -> None:
    """Compile every module with the image's own interpreter; tracebacks show the path inside the image."""
    folder.mkdir()
    lines = []
    for number, (name, path) in enumerate(sorted(tree.files.items())):
        if not name.endswith(".py"):
            continue
        target = folder / f"{number}.pyc"
        lines.append(f"{path}\0/{name}\0{target}\n")
        above, _, last = name.rpartition("/")
        tree.files[f"{above}/__pycache__/{last[:-3]}.{tag}.pyc"] = target
    # A fixed number of shares on every machine: what a process compiled earlier may affect what it writes next.
    shares = ["".join(lines[start::_COMPILERS]) for start in range(_COMPILERS)]
    with ThreadPoolExecutor(_COMPILERS) as pool:
        for problem in pool.map(partial(_compile_share, interpreter), shares):
            if problem:
                raise InsituError("ArchiveInvalid", f"the modules could not be compiled: {problem}")
    for name in [name for name, path in tree.files.items() if path.parent == folder and not path.exists()]:
        del tree.files[name]


def _compile_share(interpreter: Path, lines: str) -> str:
    command = [str(interpreter), "-I", "-S", "-c", _COMPILE]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stderr.strip()[-200:] or f"exit code {done.returncode}"


# ------------------------------------------------------------------------------------------------------ the blobs


def _write_blobs(tree: _Tree, folder: str, layout: Path) -> Descriptor:
    """Write layer, configuration and manifest; ``folder`` holds the interpreter."""
    layer = _write_layer(tree, layout)
    path = _PATH if folder in _PATH.split(":") else f"{folder}:{_PATH}"
    config = {
        "architecture": architecture(),
        "os": "linux",
        "config": {"Env": [f"PATH={path}", "LANG=C.UTF-8"], "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
        "history": [{"created_by": f"insitu image build (revision {REVISION})"}],
    }
    configuration = _write_json(config, CONFIG_TYPE, layout)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPES[0],
        "config": configuration.to_json(),
        "layers": [layer.to_json()],
    }
    return _write_json(manifest, MANIFEST_TYPES[0], layout)


def _write_json(document: dict[str, Any], media_type: str, layout: Path) -> Descriptor:
    data = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    blob_path(layout, digest).write_bytes(data)
    return Descriptor(media_type, digest, len(data))


def _write_layer(tree: _Tree, layout: Path) -> Descriptor:
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


def _entries(tree: _Tree) -> Iterator[tuple[tarfile.TarInfo, Path | bytes]]:
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
