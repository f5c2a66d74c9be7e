"""Compute that pays the provider nothing: failures that are free, services without a price, empty successes (ADR 0138).

A price counts only as far as it reaches the provider or an owner whom it trusts: anybody can sell a data set to their
own other account. Accounts cost nothing, so the cap that bounds is the one on all strangers together.
"""

from insitu.domain.agreement import Terms
from insitu.domain.pricing import Price
from insitu.gateway.ports import GatewayPorts
from insitu.ports.free_compute import ComputeCaps


def caps_on(price: Price | Terms, ports: GatewayPorts) -> ComputeCaps:
    """Return the caps on what runs for a price, which pays if it is at least that of the provider's cheapest server."""
    configuration = ports.configuration
    trusted = {account.lower() for account in (ports.provider, *configuration.creators)}
    parts = zip(price.receivers, price.amounts, strict=True)
    got = sum(amount for receiver, amount in parts if receiver.lower() in trusted)
    least = min((int(str(server.get("price", 0))) for server in configuration.servers), default=0)
    pays = got >= max(least, 1)
    return ComputeCaps(*configuration.free_compute, configuration.stake, configuration.coin_price, pays=pays)
