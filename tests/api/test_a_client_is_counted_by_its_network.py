"""Which network a request comes from; what a client writes itself does not count."""

from ipaddress import ip_network
from typing import Any

import pytest

from insitu.api.clients import Proxies

BEHIND = Proxies((ip_network("10.0.0.0/8"), ip_network("fd00::/8")))
FORWARDED = Proxies(BEHIND.networks, "Forwarded")


def scope(client: str | None, **headers: str) -> dict[str, Any]:
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "client": (client, 4711) if client else None, "headers": given}


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        (None, "local"),
        ("a socket", "local"),
    ],
)
def test_addresses_of_one_network_are_one(client: str | None, network: str) -> None:
    assert Proxies().network(scope(client)) == network


def test_a_header_of_a_client_is_ignored() -> None:
    for proxies in (Proxies(), BEHIND, FORWARDED):
        said = scope("192.0.2.7", x_forwarded_for="198.51.100.1", forwarded="for=198.51.100.1")
        assert proxies.network(said) == "192.0.2.0/24"


@pytest.mark.parametrize(
    ("header", "network"),
    [
        ("198.51.100.1", "198.51.100.0/24"),
        ("198.51.100.1:4711", "198.51.100.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("[2001:db8:1:2::3]:4711", "2001:db8:1::/48"),
        ("203.0.113.9, 198.51.100.1", "198.51.100.0/24"),  # the first was written by the client
        ("203.0.113.9, 198.51.100.1, 10.1.2.3", "198.51.100.0/24"),
        ("10.9.9.9, 10.1.2.3", "10.9.9.0/24"),
        ("198.51.100.1, unknown", "10.0.0.0/24"),
        ("198.51.100.1, 1.2.3.4.5", "10.0.0.0/24"),
        ("", "10.0.0.0/24"),
    ],
)
def test_a_named_proxy_says_who_came_to_it(header: str, network: str) -> None:
    assert BEHIND.network(scope("10.0.0.1", x_forwarded_for=header, forwarded="for=203.0.113.9")) == network


@pytest.mark.parametrize(
    ("header", "network"),
    [
        ("for=198.51.100.1", "198.51.100.0/24"),
        ('For="[2001:db8:1:2::3]:4711";proto=https', "2001:db8:1::/48"),
        ("for=203.0.113.9, by=10.0.0.1;for=198.51.100.1", "198.51.100.0/24"),
        ("for=198.51.100.1, for=_hidden", "10.0.0.0/24"),
        ("proto=https", "10.0.0.0/24"),
    ],
)
def test_the_standard_header_is_read_where_the_settings_say_so(header: str, network: str) -> None:
    assert FORWARDED.network(scope("10.0.0.1", forwarded=header, x_forwarded_for="203.0.113.9")) == network


def test_headers_of_several_lines_are_one_list() -> None:
    several = scope("10.0.0.1")
    several["headers"] = [(b"x-forwarded-for", b"203.0.113.9"), (b"x-forwarded-for", b"198.51.100.1")]
    assert BEHIND.network(several) == "198.51.100.0/24"
