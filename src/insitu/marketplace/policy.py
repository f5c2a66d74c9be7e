"""What a page may load and call: its Content-Security-Policy (CSP 3), and the origins in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

DATA = "data:"
BLOB = "blob:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a page needs beyond scripts, style and pictures of its own origin.

    Attributes
    ----------
    connect
        Origins that its elements may call: those of the documents shown, or the gateways of the settings.
    images, frames
        Other sources, such as ``blob:`` for previews that the page makes itself.
    is_offline
        The page calls nobody, not even its own server.
    """

    connect: tuple[str, ...] = ()
    images: tuple[str, ...] = (DATA,)
    frames: tuple[str, ...] = ()
    is_offline: bool = False

    def header(self) -> str:
        """Return the policy as the header says it. There are no inline scripts or styles, and no texts become HTML."""
        sources = {
            "default-src": ("'none'",),
            "script-src": ("'self'",),
            "style-src": ("'self'",),
            "img-src": ("'self'", *self.images),
            "connect-src": ("'none'",) if self.is_offline else ("'self'", *sorted(set(self.connect))),
            "frame-src": self.frames or ("'none'",),
            "form-action": ("'self'",),
            "frame-ancestors": ("'none'",),
            "base-uri": ("'none'",),
            "require-trusted-types-for": ("'script'",),
            "trusted-types": ("'none'",),
        }
        return "; ".join(f"{name} {' '.join(values)}" for name, values in sources.items())


def origins(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return the origins of addresses from documents, each once; what has none that a policy can name is left out."""
    found = (_origin(address) for address in addresses)
    return tuple(dict.fromkeys(origin for origin in found if origin is not None))


def _origin(address: str) -> str | None:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or host is None or not host.isascii():
        return None
    if not all(character.isalnum() or character in "-.:" for character in host):
        return None
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}" + (f":{port}" if port is not None else "")
