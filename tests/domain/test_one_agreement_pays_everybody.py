"""The price of a workflow: each data set once to its owner, the server to the gateway, nobody twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.compute_service import Server
from insitu.domain.errors import InsituError
from insitu.domain.money import MAX_AMOUNT
from insitu.domain.pricing import PricedInput, price_of
from tests.domain.documents import CONSUMER, OTHER_OWNER, OWNER, PROVIDER, SERVER, Account

A, B = (f"did:nv:{digit * 64}" for digit in "ab")
SMALL = Server.read(SERVER)
FREE = Server.read({**SERVER, "price": "0"})


def test_two_owners_and_the_gateway_are_paid() -> None:
    inputs = [PricedInput(A, OWNER.address, 10), PricedInput(B, OTHER_OWNER.address, 7)]
    price = price_of(inputs, SMALL, PROVIDER.address, CONSUMER.address)
    assert price.receivers == (PROVIDER.address, OWNER.address, OTHER_OWNER.address)
    assert price.amounts == (3, 10, 7)
    assert price.total == 20
    assert [item.purpose for item in price.items] == ["server small", A, B]


def test_equal_accounts_are_merged_in_any_case_of_letters() -> None:
    lower = type(OWNER.address)(OWNER.address.lower())
    inputs = [PricedInput(A, OWNER.address, 10), PricedInput(B, lower, 7)]
    assert price_of(inputs, SMALL, OWNER.address, CONSUMER.address).amounts == (20,)


def test_a_data_set_is_paid_once_however_often_it_is_read() -> None:
    inputs = [PricedInput(A, OWNER.address, 10)] * 3
    assert price_of(inputs, FREE, PROVIDER.address, CONSUMER.address).amounts == (10,)


def test_the_consumer_does_not_pay_itself() -> None:
    inputs = [PricedInput(A, CONSUMER.address, 10), PricedInput(B, OWNER.address, 7)]
    price = price_of(inputs, FREE, PROVIDER.address, CONSUMER.address)
    assert (price.amounts, price.receivers) == ((7,), (OWNER.address,))
    assert [item.amount for item in price.items] == [0, 0, 7]


def test_price_zero_pays_nobody() -> None:
    price = price_of([PricedInput(A, OWNER.address, 0)], FREE, PROVIDER.address, CONSUMER.address)
    assert (price.amounts, price.receivers, price.total) == ((), (), 0)


def test_nine_receivers_are_too_many() -> None:
    owners = [PricedInput(f"did:nv:{i:064x}", Account(50 + i).address, 1) for i in range(8)]
    assert len(price_of(owners, FREE, PROVIDER.address, CONSUMER.address).receivers) == 8
    with pytest.raises(InsituError, match="SeveralOwnersTooMany"):
        price_of(owners, SMALL, PROVIDER.address, CONSUMER.address)


def test_a_total_beyond_the_escrow_is_refused() -> None:
    inputs = [PricedInput(A, OWNER.address, MAX_AMOUNT)]
    with pytest.raises(InsituError, match="InvalidAmount"):
        price_of(inputs, SMALL, PROVIDER.address, CONSUMER.address)


ACCOUNTS = [account.address for account in (OWNER, OTHER_OWNER, CONSUMER, PROVIDER)]
inputs_drawn = st.lists(
    st.builds(
        PricedInput,
        st.integers(0, 5).map(lambda number: f"did:nv:{number:064x}"),
        st.sampled_from(ACCOUNTS),
        st.integers(0, 10**6),
    ),
    max_size=8,
)


@given(inputs_drawn)
def test_the_terms_pay_exactly_the_bill(inputs: list[PricedInput]) -> None:
    price = price_of(inputs, SMALL, PROVIDER.address, CONSUMER.address)
    assert price.total == sum(item.amount for item in price.items)
    assert len(price.amounts) == len(price.receivers) == len(set(price.receivers))
    assert all(price.amounts)
    assert CONSUMER.address not in price.receivers
    for receiver, amount in zip(price.receivers, price.amounts, strict=True):
        assert amount == sum(item.amount for item in price.items if item.receiver == receiver)
