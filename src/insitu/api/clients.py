"""From which network a request comes, behind whatever proxies the settings name (RFC 7239, and what came before it).

An address alone is free: whoever has one IPv6 address has 2^80. So limits count networks, /24 of IPv4 and /48 of IPv6.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Proxies", "ProxyHeader"]

ProxyHeader = Literal["X-Forwarded-For", "Forwarded"]
Ip = ipaddress.IPv4Address | ipaddress.IPv6Address

LOCAL = "local"
"""Who comes through a UNIX socket has no network."""
IPV4_PREFIX, IPV6_PREFIX = 24, 48


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies that are believed.

    Attributes
    ----------
    networks
        Their addresses, as CIDR. What any other client writes into a header is ignored.
    header
        The one header that they set; another one comes from the client itself.
    """

    networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network] = ()
    header: ProxyHeader = "X-Forwarded-For"

    def network(self, scope: Mapping[str, Any]) -> str:
        """Return the network of the client of a request, as CIDR."""
        client = scope.get("client")
        address = _address(client[0]) if client else None
        if address is None:
            return LOCAL
        hops = _hops(scope, self.header)
        while self._believes(address) and hops:
            before = _address(hops.pop())
            if before is None:
                break  # A hidden or unknown hop: the proxy itself is all that is known.
            address = before
        prefix = IPV4_PREFIX if address.version == 4 else IPV6_PREFIX
        return str(ipaddress.ip_network((address.packed, prefix), strict=False))

    def _believes(self, address: Ip) -> bool:
        return any(address in network for network in self.networks)


def _hops(scope: Mapping[str, Any], header: ProxyHeader) -> list[str]:
    """The addresses of a header, the nearest hop last."""
    name = header.lower().encode()
    text = ",".join(value.decode("latin-1") for key, value in scope["headers"] if key == name)
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    return entries if header == "X-Forwarded-For" else [_for(entry) for entry in entries]


def _for(element: str) -> str:
    """The ``for`` of an element of ``Forwarded``."""
    for pair in element.split(";"):
        name, _, value = pair.partition("=")
        if name.strip().lower() == "for":
            return value.strip().strip('"')
    return ""


def _address(text: str) -> Ip | None:
    """An address, with or without brackets and port; None where it is none."""
    host = text[1:].partition("]")[0] if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found
