"""Files of data sets that are objects in a bucket: ``s3://bucket/key``, ``gs://…``, ``az://container/key``."""

from collections.abc import AsyncIterator
from urllib.parse import unquote, urlsplit

from insitu.adapters.object_store import PIECE, Access, Objects
from insitu.domain.errors import InsituError


def bucket_and_key(url: str) -> tuple[str, str]:
    """Return the url of the bucket and the object's name in it. Raises ``InvalidRequest``."""
    parts = urlsplit(url)
    key = unquote(parts.path).strip("/")
    if (
        not parts.netloc
        or not key
        or parts.query
        or parts.fragment
        or any(part in {"", ".", ".."} for part in key.split("/"))
    ):
        detail = (
            f"{ascii(url.partition('?')[0][:200])[1:-1]} does not name an object: write {parts.scheme}://bucket/name"
        )
        raise InsituError("InvalidRequest", detail)
    return f"{parts.scheme}://{parts.netloc}", key


async def open_object(url: str, access: Access) -> AsyncIterator[bytes]:
    """Stream an object with the credentials of this process.

    Raises ``ExtraMissing`` without the library, ``ConfigurationFailed`` if the store does not return the object.
    """
    bucket, key = bucket_and_key(url)
    objects = Objects.at(bucket, access, "the store of the file")
    try:
        found = await objects.look(key)
        if found is None:
            raise InsituError("ConfigurationFailed", f"{bucket} has no object {key[:200]!a}")
        # One request for each piece, all of the same version.
        for start in range(0, found.size, PIECE):
            end = min(start + PIECE, found.size)
            data = await objects.read(key, start, end, found.version)
            if data is None:
                raise InsituError("ConfigurationFailed", f"the object {key[:200]!a} is gone")
            yield data
    except InsituError as error:
        if error.code not in {"ObjectStoreRefused", "ObjectStoreUnavailable"}:
            raise
        raise InsituError("ConfigurationFailed", error.detail) from None
