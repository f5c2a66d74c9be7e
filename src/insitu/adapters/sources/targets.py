"""Which addresses are fetched from: public ones, and those that settings name (design §5)."""

import ipaddress
import socket
from collections.abc import Sequence

import anyio

from insitu.domain.errors import InsituError

__all__ = ["Targets"]

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Targets:
    """Resolves hosts and refuses addresses of this machine and its neighbours.

    Parameters
    ----------
    allowed
        Host names and networks (CIDR) that are fetched from although they are private.
    allow_private
        Fetch from everywhere; for development.
    """

    def __init__(self, allowed: Sequence[str] = (), *, allow_private: bool = False) -> None:
        self._names = {one.lower() for one in allowed if _network(one) is None}
        self._networks = [network for one in allowed if (network := _network(one)) is not None]
        self._allow_private = allow_private

    async def resolve(self, host: str, port: int) -> str:
        """Return the address to connect to, in text; it is one of those that were checked.

        Raises ``TargetNotAllowed``; ``ConfigurationFailed`` where the name does not resolve.
        """
        try:
            found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise InsituError("ConfigurationFailed", f"the host {host[:200]!r} has no address") from None
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        for address in addresses:
            # One bad address is enough: which of them is used is up to whoever answers the name.
            if not self._is_allowed(host, address):
                raise InsituError("TargetNotAllowed", f"{host[:200]} leads to {address}, which is not public")
        if not addresses:
            raise InsituError("ConfigurationFailed", f"the host {host[:200]!r} has no address")
        return str(addresses[0])

    def _is_allowed(self, host: str, address: IpAddress) -> bool:
        if self._allow_private or host.lower().rstrip(".") in self._names:
            return True
        embedded = _embedded(address)
        if any(address in network or embedded in network for network in self._networks):
            return True
        return all(one.is_global and not one.is_multicast and not one.is_reserved for one in (address, embedded))


def _embedded(address: IpAddress) -> IpAddress:
    """The IPv4 address that an IPv6 address leads to, where it is one of those that do; else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo is not None else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
