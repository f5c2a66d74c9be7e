"""What is left of compute that costs nothing is beside the price."""

import pytest

from insitu.api.gateway_v1 import FreeCompute, Quote
from insitu.cli.views import quote_facts
from insitu.ports.chain import TokenInfo
from tests.cli.conftest import ADDRESS, DID

TOKEN = TokenInfo(ADDRESS, "Token", "NVM", 18)


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (None, ""),
        (
            FreeCompute(of="consumer", limit=43_200, left=12),
            "12 of 43200 seconds of free compute left today for this account",
        ),
        (
            FreeCompute(of="strangers", limit=900, left=60),
            "60 of 900 seconds of free compute left today for all accounts that have not paid this provider yet",
        ),
    ],
)
def test_the_seconds_that_are_left_are_named(left: FreeCompute | None, said: str) -> None:
    quote = Quote(allowed=True, did=DID, inputs_hash="0x", service_index=1, provider=ADDRESS, free_compute=left)
    assert dict(quote_facts(quote, TOKEN, ADDRESS, ""))["unpaid"] == said
