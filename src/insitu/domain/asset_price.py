"""What an asset costs, for people who choose one; what is paid is in the terms of an agreement."""

from insitu.domain.ddo import Ddo
from insitu.domain.errors import InsituError
from insitu.domain.money import parse_amount


def price_of(ddo: Ddo) -> int | None:
    """Return the price in base units: of the cheapest compute service, else of the asset; None if unreadable."""
    offers = [service.main for service in ddo.compute_services] or [ddo.main]
    prices = [price for price in (_amount(main.get("price", 0)) for main in offers) if price is not None]
    return min(prices, default=None)


def _amount(value: object) -> int | None:
    try:
        return parse_amount(value)
    except InsituError:
        return None
