"""An image from a JDK of this machine: a Java runtime made by ``jlink``, and what it needs of the C library.

No registry, no network, about ten seconds. The runtime has all standard modules and the compiler, so that it starts
``.java`` files too; it is not compressed, so that it starts sooner.
"""

import hashlib
import os
import platform
import shutil
import subprocess
from pathlib import Path

from insitu.adapters.runtime.oci.images.documents import Descriptor
from insitu.adapters.runtime.oci.images.image_tree import PATH, ImageTree, is_shared
from insitu.domain.errors import InsituError

REVISION = "1"
"""Counts changes of this builder, so that an image of an older one is built again."""

_HOME = "opt/java"
_MODULES = (
    "java.se", "jdk.charsets", "jdk.compiler", "jdk.crypto.ec", "jdk.httpserver", "jdk.localedata", "jdk.management",
    "jdk.net", "jdk.security.auth", "jdk.unsupported", "jdk.zipfs",
)  # fmt: skip
_NATIVE = (
    "libdl.so.2", "libgcc_s.so.1", "libm.so.6", "libnss_files.so.2", "libpthread.so.0", "libresolv.so.2", "librt.so.1",
    "libstdc++.so.6", "libutil.so.1",
)  # fmt: skip
"""What native code in jars asks for, and the runtime itself may not need; they are beside the C library."""
_ANOTHER = "install one (Debian: openjdk-17-jdk-headless), or name another with --java FOLDER"


def find_jdk(named: Path | None) -> Path:
    """Return the folder of a JDK: the named one, or that of ``JAVA_HOME``, or that of the ``jlink`` on the PATH.

    Raises ``ExtraMissing`` if there is none, or if it is only a runtime, without ``jlink``.
    """
    if named is None and (home := os.environ.get("JAVA_HOME")):
        named = Path(home)
    if named is None:
        found = shutil.which("jlink")
        if found is None:
            raise InsituError("ExtraMissing", f"there is no JDK with jlink on this machine: {_ANOTHER}")
        return Path(found).resolve().parent.parent
    if not all((named / part).is_file() for part in ("bin/jlink", "lib/modules")):
        raise InsituError("ExtraMissing", f"{named} is no JDK, it lacks bin/jlink or lib/modules: {_ANOTHER}")
    return named.resolve()


def java_key(jdk: Path) -> str:
    """Return a key of what an image would be made of, without building it: equal keys give equal images."""
    found = (jdk / "lib" / "modules").stat()
    parts = ["java", REVISION, str(jdk), str(found.st_size), str(found.st_mtime_ns), *platform.libc_ver(), *_MODULES]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def build_java_image(jdk: Path, layout: Path) -> Descriptor:
    """Write the image's blobs into a layout folder; return its manifest's descriptor.

    Raises ``ExtraMissing`` if the JDK cannot link a runtime.
    """
    (layout / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
    runtime = layout / "runtime"
    _link(jdk, runtime)
    tree = ImageTree()
    binaries = tree.add_system()
    for path in sorted(runtime.rglob("*")):
        name = f"{_HOME}/{path.relative_to(runtime)}"
        if path.is_symlink():
            tree.links[name] = str(path.readlink())
        elif path.is_file():
            tree.files[name] = path
            if is_shared(path.name) or path.parent == runtime / "bin":
                binaries.append(path)
    loaded = tree.add_libraries(binaries)
    folders = {path.parent for path in loaded if path.name.startswith("libc.so")}
    native = [folder / name for folder in sorted(folders) for name in _NATIVE if (folder / name).is_file()]
    tree.add_libraries([tree.add(path) for path in native])
    return tree.write({"PATH": f"/{_HOME}/bin:{PATH}", "JAVA_HOME": f"/{_HOME}", "LANG": "C.UTF-8"}, REVISION, layout)


def _link(jdk: Path, runtime: Path) -> None:
    command = [str(jdk / "bin" / "jlink"), "--add-modules", ",".join(_MODULES), "--output", str(runtime)]
    done = subprocess.run(
        [*command, "--strip-debug", "--no-man-pages", "--no-header-files"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().replace("\n", " ")[-200:]
        raise InsituError(
            "ExtraMissing", f"{jdk} cannot link a Java runtime, perhaps without jmods ({said}): {_ANOTHER}"
        )
