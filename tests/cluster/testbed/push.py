"""Pushing an image of an OCI layout to the cluster's registry (OCI distribution specification), byte for byte."""

import json
import urllib.request
from pathlib import Path
from urllib.error import HTTPError


def push(layout: Path, digest: str, registry: str, repository: str) -> str:
    """Push the image with this manifest digest and return ``registry/repository@digest``."""
    manifest = _blob(layout, digest).read_bytes()
    document = json.loads(manifest)
    base = f"http://{registry}/v2/{repository}"
    for descriptor in (document["config"], *document["layers"]):
        _push_blob(base, descriptor["digest"], _blob(layout, descriptor["digest"]))
    media_type = document.get("mediaType", "application/vnd.oci.image.manifest.v1+json")
    _send("PUT", f"{base}/manifests/{digest}", manifest, media_type)
    return f"{registry}/{repository}@{digest}"


def _push_blob(base: str, digest: str, path: Path) -> None:
    try:
        _send("HEAD", f"{base}/blobs/{digest}")
    except HTTPError as error:
        if error.code != 404:
            raise
    else:
        return
    place = _send("POST", f"{base}/blobs/uploads/")
    joint = "&" if "?" in place else "?"
    with path.open("rb") as content:
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(path.stat().st_size)}
        request = urllib.request.Request(f"{place}{joint}digest={digest}", content, headers, method="PUT")
        urllib.request.urlopen(request, timeout=60).close()


def _send(method: str, url: str, body: bytes | None = None, content_type: str | None = None) -> str:
    headers = {} if content_type is None else {"Content-Type": content_type}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method), timeout=60) as answer:
        return str(answer.headers.get("Location", ""))


def _blob(layout: Path, digest: str) -> Path:
    return layout / "blobs" / "sha256" / digest.removeprefix("sha256:")
