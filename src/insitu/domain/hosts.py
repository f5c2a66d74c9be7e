"""What a URL's host says about where it is."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether a URL's host names this machine, without asking DNS."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
