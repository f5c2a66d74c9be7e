"""Small OCI layouts, written by hand, so that each can be wrong in one way."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from insitu.adapters.runtime.oci.images.documents import CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPES, architecture

Entry = tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def file(name: str, data: bytes = b"", mode: int = 0o644) -> Entry:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(data), mode, 1_700_000_000
    return entry, data


def folder(name: str, mode: int = 0o755) -> Entry:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    return entry


def link(name: str, target: str, *, hard: bool = False) -> Entry:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.LNKTYPE if hard else tarfile.SYMTYPE, target
    return entry


def special(name: str, kind: bytes) -> Entry:
    entry = tarfile.TarInfo(name)
    entry.type = kind
    return entry


def tar(entries: Iterable[Entry]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for item in entries:
            entry, data = item if isinstance(item, tuple) else (item, b"")
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


class Layout:
    """A layout folder; blobs are added, and the manifest is written last."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "blobs" / "sha256").mkdir(parents=True)
        (root / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def blob(self, data: bytes, media_type: str) -> dict[str, Any]:
        digest = digest_of(data)
        (self.root / "blobs" / "sha256" / digest[7:]).write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def image(
        self, *layers: Iterable[Entry], packing: str = "gzip", diff_ids: list[str] | None = None, **config: Any
    ) -> dict[str, Any]:
        """Add an image of these layers; return its manifest's descriptor."""
        packed, ids = [], []
        for entries in layers:
            data = tar(entries)
            ids.append(digest_of(data))
            packed.append(self.blob(*self.pack(data, packing)))
        document = {
            "architecture": architecture(),
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": ids if diff_ids is None else diff_ids},
            "config": {"Env": ["PATH=/opt/bin:/bin", "broken"]},
        }
        described = self.blob(json.dumps(document | config).encode(), CONFIG_TYPE)
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPES[0], "config": described, "layers": packed}
        return self.blob(json.dumps(manifest).encode(), MANIFEST_TYPES[0])

    def pack(self, data: bytes, packing: str) -> tuple[bytes, str]:
        if packing == "gzip":
            return gzip.compress(data), LAYER_TYPE + "+gzip"
        if packing == "zstd":
            import zstandard

            return zstandard.ZstdCompressor().compress(data), LAYER_TYPE + "+zstd"
        return data, LAYER_TYPE

    def index(self, *manifests: dict[str, Any]) -> Path:
        (self.root / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": list(manifests)}))
        return self.root

    def archive(self, target: Path) -> Path:
        with tarfile.open(target, "w:gz" if target.suffix == ".gz" else "w") as archive:
            archive.add(self.root, arcname=".")
        return target
