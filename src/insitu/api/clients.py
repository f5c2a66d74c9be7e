"""Which network a request comes from, behind the proxies that the settings name (RFC 7239, and X-Forwarded-For).

Addresses are free: anyone with one IPv6 address has 2^80. So limits count networks, /24 for IPv4 and /48 for IPv6.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

ProxyHeader = Literal["X-Forwarded-For", "Forwarded"]
Ip = ipaddress.IPv4Address | ipaddress.IPv6Address

LOCAL = "local"
"""The network of a client that comes through a UNIX socket."""
IPV4_PREFIX, IPV6_PREFIX = 24, 48


@dataclass(frozen=True, slots=True)
class Proxies:
    """The trusted proxies.

    Attributes
    ----------
    networks
        Their addresses, as CIDR. Headers from any other client are ignored.
    header
        The one header that they set; any other comes from the client itself.
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
        while self._trusts(address) and hops:
            before = _address(hops.pop())
            if before is None:
                break  # A hidden or unknown hop: the proxy itself is all that is known.
            address = before
        prefix = IPV4_PREFIX if address.version == 4 else IPV6_PREFIX
        return str(ipaddress.ip_network((address.packed, prefix), strict=False))

    def _trusts(self, address: Ip) -> bool:
        return any(address in network for network in self.networks)


def _hops(scope: Mapping[str, Any], header: ProxyHeader) -> list[str]:
    """Return the addresses in a header, the nearest hop last."""
    name = header.lower().encode()
    text = ",".join(value.decode("latin-1") for key, value in scope["headers"] if key == name)
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    return entries if header == "X-Forwarded-For" else [_for(entry) for entry in entries]


def _for(element: str) -> str:
    """Return the ``for`` of an element of ``Forwarded``."""
    for pair in element.split(";"):
        name, _, value = pair.partition("=")
        if name.strip().lower() == "for":
            return value.strip().strip('"')
    return ""


def _address(text: str) -> Ip | None:
    """Parse an address, with or without brackets and port; return None if it is not one."""
    host = text[1:].partition("]")[0] if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found
