"""Variables that are not settings: who calls, and the passwords of key files."""

from collections.abc import Mapping
from dataclasses import dataclass, field

KEY_PASSWORD = "INSITU_KEY_PASSWORD"  # noqa: S105  the name of a variable


@dataclass(frozen=True, slots=True)
class CallerVariables:
    """The caller's variables; None if one is not set. An option or an argument wins over them.

    Attributes
    ----------
    url
        INSITU_URL, the provider to talk to.
    account
        INSITU_ACCOUNT, the name or address of the key to sign with.
    password
        INSITU_KEY_PASSWORD, of the key file.
    """

    url: str | None
    account: str | None
    password: str | None = field(repr=False)


def read_caller(environ: Mapping[str, str]) -> CallerVariables:
    """Return the caller's variables from an environment, usually ``os.environ``."""
    return CallerVariables(
        environ.get("INSITU_URL") or None, environ.get("INSITU_ACCOUNT") or None, environ.get(KEY_PASSWORD)
    )


def provider_password(environ: Mapping[str, str]) -> str | None:
    """Return INSITU_PROVIDER_PASSWORD, the password of the provider's own key file; None if it is not set."""
    return environ.get("INSITU_PROVIDER_PASSWORD") or None
