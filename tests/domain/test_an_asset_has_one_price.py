"""One rule says what an asset costs, in the catalogue and on the command line."""

import pytest

from insitu.domain.asset_price import price_of
from insitu.domain.canonical import JsonObject
from insitu.domain.ddo import read_ddo
from insitu.metadata.summaries import summary_of
from tests.domain.documents import dataset_ddo


def priced(asset: object, *offers: object) -> JsonObject:
    """A data set with its own price and one compute service for each offer."""
    document = dataset_ddo().to_json()
    metadata = next(service for service in document["service"] if service["type"] == "metadata")
    compute = next(service for service in document["service"] if service["type"] == "compute")
    metadata["attributes"]["main"]["price"] = asset
    attributes = compute["attributes"]
    document["service"] = [
        metadata,
        *(
            {**compute, "index": number, "attributes": {**attributes, "main": {**attributes["main"], "price": offer}}}
            for number, offer in enumerate(offers, start=1)
        ),
    ]
    return document


@pytest.mark.parametrize(
    ("asset", "offers", "price"),
    [
        ("7", [], 7),
        ("7", ["9"], 9),
        ("7", ["9", "3", 5], 3),
        ("7", ["0"], 0),
        ("7", ["9", "abc"], 9),
        ("7", ["abc"], None),
        ("1.5", [], None),
    ],
)
def test_the_cheapest_compute_service_else_the_asset(asset: object, offers: list[object], price: int | None) -> None:
    ddo = read_ddo(priced(asset, *offers))
    assert price_of(ddo) == price
    assert summary_of(ddo).price == (price or 0)
