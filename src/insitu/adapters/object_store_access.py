"""Open a bucket: make a client of obstore from a url and the settings for reaching it."""

import configparser
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import urlsplit

from insitu.domain.errors import InsituError

if TYPE_CHECKING:
    from obstore.store import AzureConfig, ClientConfig, GCSConfig, ObjectStore, RetryConfig, S3Config, S3Credential

SCHEMES = frozenset({"az", "gs", "s3"})
REREAD = timedelta(minutes=5)
"""How long keys from a file are used before it is read again, so that replacing them needs no restart."""


@dataclass(frozen=True, slots=True)
class Access:
    """How buckets are reached.

    Attributes
    ----------
    endpoint
        Address of a store other than the cloud's own; None for the cloud's.
    account
        The storage account, on Azure.
    credentials_file
        Keys: AWS's shared credentials file, a service account of Google (JSON), or an account key of Azure. None for
        the platform's environment or the identity of this machine.
    ca_file
        Certificates (PEM) to trust in addition to the public ones.
    patience
        Seconds for which a request is repeated while the store does not answer.
    """

    endpoint: str | None = None
    region: str | None = None
    account: str | None = None
    credentials_file: Path | None = None
    ca_file: Path | None = None
    patience: float = 20.0


class _Common(TypedDict):
    prefix: str | None
    client_options: "ClientConfig"
    retry_config: "RetryConfig"


def open_bucket(url: str, access: Access) -> "ObjectStore":
    """Return a client for ``scheme://bucket/prefix``, without a request.

    Raises ``ExtraMissing``, ``SettingsInvalid`` for a file that cannot be used, ``InvalidRequest`` for another url.
    """
    try:
        import obstore.store
    except ImportError:
        detail = "an object store needs its extra: pip install './insitu-….whl[object-store]'"
        raise InsituError("ExtraMissing", detail) from None
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.netloc:
        raise InsituError("InvalidRequest", f"a bucket is named by s3://, gs:// or az://, not {url[:80]!r}")
    common = _common(parts.path.strip("/"), access)
    try:
        if parts.scheme == "s3":
            provider = SharedCredentials(access.credentials_file) if access.credentials_file is not None else None
            return obstore.store.S3Store(parts.netloc, config=_s3(access), credential_provider=provider, **common)
        if parts.scheme == "gs":
            return obstore.store.GCSStore(parts.netloc, config=_gcs(access), **common)
        return obstore.store.AzureStore(parts.netloc, config=_azure(access), **common)
    except (obstore.exceptions.BaseError, ValueError, OSError) as error:
        # The text of the error may contain what it could not read.
        detail = f"the object store cannot be opened with these settings: {type(error).__name__}"
        raise InsituError("SettingsInvalid", detail) from None


def _common(prefix: str, access: Access) -> _Common:
    client: ClientConfig = {
        "connect_timeout": timedelta(seconds=5),
        "timeout": timedelta(seconds=60),
        "allow_http": access.endpoint is not None and access.endpoint.startswith("http://"),
    }
    if access.ca_file is not None:
        client["root_certificate"] = _read("object_store.ca_file", access.ca_file)
    retry: RetryConfig = {
        "max_retries": 100,
        "retry_timeout": timedelta(seconds=access.patience),
        "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2), "base": 2},
    }
    return {"prefix": prefix or None, "client_options": client, "retry_config": retry}


def _s3(access: Access) -> "S3Config":
    # Not every S3 store can delete many objects at once.
    config: S3Config = {"disable_bulk_delete": True}
    if access.region is not None:
        config["region"] = access.region
    if access.endpoint is not None:
        config["endpoint"] = access.endpoint
    return config


def _gcs(access: Access) -> "GCSConfig":
    config: GCSConfig = {}
    if access.credentials_file is not None:
        config["service_account_key"] = _read("object_store.credentials_file", access.credentials_file)
    if access.endpoint is not None:
        config["base_url"] = access.endpoint
    return config


def _azure(access: Access) -> "AzureConfig":
    config: AzureConfig = {}
    if access.account is not None:
        config["account_name"] = access.account
    if access.credentials_file is not None:
        config["account_key"] = _read("object_store.credentials_file", access.credentials_file).strip()
    if access.endpoint is not None:
        config["endpoint"] = access.endpoint
    return config


class SharedCredentials:
    """Returns the keys that a shared credentials file has now, for signing requests."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self()

    def __call__(self) -> "S3Credential":
        """Read the file again and return its keys."""
        file = configparser.ConfigParser(interpolation=None)
        try:
            file.read_string(_read("object_store.credentials_file", self._path))
            keys = dict(file["default"])
            found: S3Credential = {
                "access_key_id": keys["aws_access_key_id"],
                "secret_access_key": keys["aws_secret_access_key"],
                "token": keys.get("aws_session_token"),
                "expires_at": datetime.now(UTC) + REREAD,
            }
        except (configparser.Error, KeyError):
            detail = (
                f"object_store.credentials_file: {self._path} needs a section [default] with aws_access_key_id and"
                " aws_secret_access_key"
            )
            raise InsituError("SettingsInvalid", detail) from None
        return found


def _read(setting: str, path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        detail = f"{setting}: {path} cannot be read: {type(error).__name__}"
        raise InsituError("SettingsInvalid", detail) from None
