"""Where bytes are stored: a folder on this machine, or a prefix in a bucket."""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator

from insitu.adapters.object_store_access import SCHEMES

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{1,61})[a-z0-9]", re.ASCII)
_SEGMENT = re.compile(r"[A-Za-z0-9!_.*'()=-]{1,255}", re.ASCII)


def _read_place(value: object) -> object:
    if not isinstance(value, str) or "://" not in value:
        return Path(value) if isinstance(value, str) else value
    try:
        parts = urlsplit(value)
        scheme, bucket, path = parts.scheme, parts.netloc, parts.path.strip("/")
    except ValueError:
        scheme, bucket, path, parts = "", "", "", None
    if scheme not in SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in sorted(SCHEMES))
        raise ValueError(f"must be a folder, or a URL that begins with {known}")
    if "@" in bucket or (parts is not None and (parts.query or parts.fragment)):
        raise ValueError("must name only a bucket and a prefix: keys belong in object_store.credentials_file")
    if _NAME.fullmatch(bucket) is None:
        raise ValueError(f"{bucket[:80]!r} cannot name a bucket: use 3 to 63 lower-case letters, digits, dots, hyphens")
    segments = path.split("/") if path else []
    if any(_SEGMENT.fullmatch(segment) is None or segment in {".", ".."} for segment in segments):
        raise ValueError(f"{path[:80]!r} is not a prefix: use letters, digits and !_.*'()=- between slashes")
    return "/".join((f"{scheme}:/", bucket, *segments))


Place = Annotated[Path | str, BeforeValidator(_read_place)]
"""A folder (``Path``), or the URL of a bucket and a prefix in it (``str``) without a trailing slash."""
