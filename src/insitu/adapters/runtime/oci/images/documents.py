"""The three JSON documents of an image (OCI image specification 1.1). They come from strangers: trust nothing."""

import json
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from insitu.domain.errors import InsituError

MAX_DOCUMENT_BYTES = 4 << 20
"""The limit of the distribution specification for a manifest."""

LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MAX_LAYERS = 128


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Names a blob by its media type, ``sha256:`` digest, and size in bytes."""

    media_type: str
    digest: str
    size: int

    def to_json(self) -> dict[str, Any]:
        """The descriptor in the form of the specification."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


@dataclass(frozen=True, slots=True)
class Manifest:
    """An image manifest: its configuration and its layers, the lowest first."""

    config: Descriptor
    layers: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """The part of an image's configuration that matters here."""

    architecture: str
    diff_ids: tuple[str, ...]
    environment: Mapping[str, str]


def architecture() -> str:
    """Return the name that image indexes use for this machine."""
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def check_digest(text: object) -> str:
    """Return a well-formed ``sha256:`` digest. Raises ``ArchiveInvalid``."""
    if not isinstance(text, str) or _DIGEST.fullmatch(text) is None:
        raise InsituError("ArchiveInvalid", f"{str(text)[:100]!r} is not a sha256 digest")
    return text


def read_json(data: bytes) -> dict[str, Any]:
    """Read a JSON object. Raises ``ArchiveInvalid``."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InsituError("ArchiveInvalid", f"a document of the image is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise InsituError("ArchiveInvalid", "a document of the image is not a JSON object")
    return value


def read_manifest(data: bytes) -> Manifest:
    """Read an image manifest. Raises ``ArchiveInvalid``."""
    document = read_json(data)
    layers = document.get("layers")
    if not isinstance(layers, list) or len(layers) > _MAX_LAYERS:
        raise InsituError("ArchiveInvalid", f"the manifest does not list 0 to {_MAX_LAYERS} layers")
    return Manifest(_descriptor(document.get("config")), tuple(_descriptor(layer) for layer in layers))


def read_config(data: bytes) -> ImageConfig:
    """Read an image configuration; refuse one for another operating system. Raises ``ArchiveInvalid``."""
    document = read_json(data)
    rootfs = document.get("rootfs")
    diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(diff_ids, list):
        raise InsituError("ArchiveInvalid", "the image's configuration has no rootfs.diff_ids")
    if document.get("os", "linux") != "linux":
        raise InsituError("ArchiveInvalid", "the image is not for Linux")
    settings = document.get("config")
    pairs = settings.get("Env") if isinstance(settings, dict) else None
    lines = [text for text in pairs if isinstance(text, str)] if isinstance(pairs, list) else []
    environment = dict(line.split("=", 1) for line in lines if "=" in line and "\0" not in line)
    found = document.get("architecture")
    return ImageConfig(str(found or architecture()), tuple(check_digest(d) for d in diff_ids), environment)


def choose_manifest(index: Mapping[str, Any]) -> Descriptor:
    """Choose this machine's manifest from an index. Raises ``ArchiveInvalid`` if there is none."""
    entries = index.get("manifests")
    if not isinstance(entries, list):
        raise InsituError("ArchiveInvalid", "the index lists no manifests")
    wanted = []
    for entry in entries[:1000]:
        descriptor = _descriptor(entry)
        found = entry.get("platform")
        place = found if isinstance(found, dict) else {}
        fits = place.get("os", "linux") == "linux" and place.get("architecture", architecture()) == architecture()
        if fits and descriptor.media_type in MANIFEST_TYPES + INDEX_TYPES:
            wanted.append(descriptor)
    if not wanted:
        raise InsituError("ArchiveInvalid", f"the index has no image for linux/{architecture()}")
    if len(wanted) > 1 and "platform" not in entries[0]:
        raise InsituError("ArchiveInvalid", "the layout holds several images; export the one that is meant")
    return wanted[0]


def _descriptor(value: object) -> Descriptor:
    if not isinstance(value, dict):
        raise InsituError("ArchiveInvalid", "a descriptor of the image is not a JSON object")
    size = value.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise InsituError("ArchiveInvalid", "a descriptor of the image has no size")
    return Descriptor(str(value.get("mediaType", "")), check_digest(value.get("digest")), size)
