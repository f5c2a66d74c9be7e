"""The files that pages load: style and scripts, under names that change with their content."""

import gzip
import json
import mimetypes
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from insitu.domain.canonical import sha256_hex

FOLDER = Path(__file__).parent / "static"
BUNDLES = FOLDER / "bundles"
MANIFEST = "manifest.json"
"""For each component with an element: its script with what this one loads, and what it imports soon after."""

ADDRESS = "/static/"


def bundles() -> dict[str, bytes]:
    """Return the scripts of this release by name; a name changes with its content."""
    return {path.name: path.read_bytes() for path in BUNDLES.glob("*.js")}


@dataclass(frozen=True)
class StaticFile:
    """A file that never changes under its name."""

    name: str
    content: bytes

    @property
    def media_type(self) -> str:
        """As a browser needs it, whatever this machine's own table says."""
        known = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
        suffix = Path(self.name).suffix
        return known.get(suffix) or mimetypes.types_map.get(suffix, "text/plain; charset=utf-8")

    @cached_property
    def compressed(self) -> bytes:
        """The content in gzip, made once."""
        return gzip.compress(self.content, 9, mtime=0)


class StaticFiles:
    """Every file by the name in its address. They are read once, so an update needs a restart.

    Parameters
    ----------
    extra_style
        Rules of a theme, after those of the stylesheet.
    logo
        Name and content of a picture that a theme brings.
    """

    def __init__(self, *, extra_style: str = "", logo: tuple[str, bytes] | None = None) -> None:
        style = _named("style.css", (FOLDER / "style.css").read_bytes() + extra_style.encode())
        # esbuild puts a hash into the names of what it writes, and the files refer to each other by these names.
        bundles = [StaticFile(path.name, path.read_bytes()) for path in BUNDLES.iterdir() if path.name != MANIFEST]
        files = [style, *bundles, *([_named(*logo)] if logo is not None else [])]
        self.files = {file.name: file for file in files}
        self.style = ADDRESS + style.name
        self.logo = ADDRESS + files[-1].name if logo is not None else None
        self._manifest: dict[str, dict[str, list[str]]] = json.loads((BUNDLES / MANIFEST).read_text("utf-8"))

    def scripts(self, component: str) -> list[str]:
        """Return the addresses of a component's script and of what this loads; empty if it has no element."""
        return self._of(component, "scripts")

    def soon(self, component: str) -> list[str]:
        """Return the addresses of what the element imports once it has begun, and needs before it shows its state."""
        return self._of(component, "soon")

    def _of(self, component: str, part: str) -> list[str]:
        return [ADDRESS + name for name in self._manifest.get(component, {}).get(part, ())]


def _named(name: str, content: bytes) -> StaticFile:
    stem, _, suffix = name.rpartition(".")
    return StaticFile(f"{stem}-{sha256_hex(content)[:12]}.{suffix}", content)
