"""An image from the host's own Python: no registry, no network, about a second.

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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path

from insitu.adapters.runtime.oci.images.documents import Descriptor
from insitu.adapters.runtime.oci.images.image_tree import PATH, ImageTree, is_shared
from insitu.domain.errors import InsituError

_COMPILERS = 4
REVISION = "3"
"""Counts changes of this builder, so that an image of an older one is built again."""

_LEFT_OUT = {
    "__pycache__", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "test", "tests", "tkinter", "turtledemo", "venv",
}  # fmt: skip
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
    tree = ImageTree()
    binaries = [*tree.add_system(), tree.add(Path(python["executable"]))]
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
    tree.add_libraries(binaries)  # what wheels bring along is there already
    compiled = layout / "compiled"
    _compile(tree, wanted.interpreter, python["tag"], compiled)
    folder = str(Path(python["executable"]).parent)
    path = PATH if folder in PATH.split(":") else f"{folder}:{PATH}"
    return tree.write({"PATH": path, "LANG": "C.UTF-8"}, REVISION, layout)


def _ask(interpreter: Path) -> dict[str, str]:
    command = [str(interpreter), "-I", "-c", _ASK]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise InsituError("ArchiveInvalid", f"{interpreter} does not run: {answer.stderr.strip()[-200:]}")
    facts: dict[str, str] = json.loads(answer.stdout)
    return facts


# ---------------------------------------------------------------------------------------------------- what goes in


def _add_folder(tree: ImageTree, source: Path, target: str) -> list[Path]:
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
            if is_shared(name):
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


def _add_distribution(tree: ImageTree, distribution: metadata.Distribution, target: str) -> list[Path]:
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
        if is_shared(file.name):
            shared.append(path)
    return shared


def _compile(tree: ImageTree, interpreter: Path, tag: str, folder: Path) -> None:
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
