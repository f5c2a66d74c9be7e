"""Decide which addresses files may be fetched from: public ones, and those that the settings name."""

import ipaddress
import socket
from collections.abc import Sequence

import anyio

from insitu.domain.errors import InsituError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Targets:
    """Resolves hosts and refuses addresses of this machine and its neighbours.

    Parameters
    ----------
    allowed
        Private host names and networks (CIDR) to fetch from all the same.
    allow_private
        Fetch from every address; for development.
    """

    def __init__(self, allowed: Sequence[str] = (), *, allow_private: bool = False) -> None:
        self._names = {target.lower() for target in allowed if _network(target) is None}
        self._networks = [network for target in allowed if (network := _network(target)) is not None]
        self._allow_private = allow_private

    async def resolve(self, host: str, port: int) -> str:
        """Return a checked address to connect to, as text.

        Raises ``TargetNotAllowed``, ``ConfigurationFailed`` if the name does not resolve.
        """
        try:
            found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise InsituError("ConfigurationFailed", f"the host {host[:200]!r} has no address") from None
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        for address in addresses:
            # One bad address is enough: whoever controls the name chooses which one is used.
            if not self._is_allowed(host, address):
                raise InsituError("TargetNotAllowed", f"{host[:200]} leads to {address}, which is not public")
        if not addresses:
            raise InsituError("ConfigurationFailed", f"the host {host[:200]!r} has no address")
        return str(addresses[0])

    def _is_allowed(self, host: str, address: IpAddress) -> bool:
        if self._allow_private or host.lower().rstrip(".") in self._names:
            return True
        embedded = _ipv4_within(address)
        if any(address in network or embedded in network for network in self._networks):
            return True
        return all(ip.is_global and not ip.is_multicast and not ip.is_reserved for ip in (address, embedded))


def _ipv4_within(address: IpAddress) -> IpAddress:
    """Return the IPv4 address that an IPv6 address leads to, or the address itself if it leads to none."""
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
