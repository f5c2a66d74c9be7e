"""Translate the bucket library's errors by kind, the store's code and the status, without ever quoting them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from insitu.domain.errors import InsituError

_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_METADATA = re.compile(r"https?://(169\.254\.|metadata\.google|\[?fd00:ec2)")
_ADDRESS = re.compile(r"https?://[^\s\"',)]+")
_SILENT = re.compile(r"HTTP error|error sending request|timed out|TimedOut|ConnectError|response body")

_NO_BUCKET = frozenset({"NoSuchBucket", "ContainerNotFound"})
_NO_OBJECT = frozenset({"BlobNotFound", "NoSuchKey"})
_ELSEWHERE = frozenset({"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"})
_NOT_NOW = frozenset({408, 429, 500, 502, 503, 504})


@contextmanager
def our_errors(name: str) -> Iterator[None]:
    """Turn errors of the library into ``ObjectStoreRefused`` and ``ObjectStoreUnavailable``."""
    import obstore

    try:
        yield
    except (obstore.exceptions.BaseError, OSError, ValueError) as error:
        raise InsituError(*_ours(name, type(error).__name__, str(error))) from None


def lacks_object(error: FileNotFoundError) -> bool:
    """Return whether the object is missing, and not the bucket or the account."""
    code = _CODE.search(str(error))
    return code is None or code[1] in _NO_OBJECT


def _ours(name: str, kind: str, text: str) -> tuple[str, str]:
    """Return the code and detail of our error."""
    found, answered = _CODE.search(text), _STATUS.search(text)
    code = found[1] if found else ""
    status = int(answered[1]) if answered else 0
    if code in _NO_BUCKET:
        return "ObjectStoreRefused", f"{name}: there is no such bucket"
    if code in _ELSEWHERE or "BareRedirect" in text:
        return "ObjectStoreRefused", f"{name}: the bucket is in another region"
    if kind == "PreconditionError":
        return "ObjectStoreRefused", f"{name}: the object has changed in the meantime"
    if _METADATA.search(text):
        return "ObjectStoreRefused", f"{name}: this machine has no credentials for it"
    if status in {401, 403} or kind in {"PermissionDeniedError", "UnauthenticatedError"}:
        return "ObjectStoreRefused", f"{name}: these credentials may not do this, or are wrong"
    if status in _NOT_NOW or (status == 0 and _SILENT.search(_ADDRESS.sub("", text))):
        return "ObjectStoreUnavailable", f"{name} does not answer"
    return "ObjectStoreRefused", f"{name} refused a request: {code or status or kind}"
