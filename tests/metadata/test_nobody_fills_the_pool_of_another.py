"""Documents that wait for the chain: accounts are free, so only what costs something counts."""

import secrets
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.keys.dev import dev_signer
from insitu.adapters.keys.signer import LocalSigner
from insitu.api.metadata_v1 import DDO
from insitu.domain.canonical import JsonObject
from insitu.domain.errors import InsituError
from insitu.domain.ledger import Call
from insitu.metadata.pools import PendingLimits
from insitu.ports.keys import Signer
from insitu.settings.reading import read_settings
from insitu.stack import provider
from tests.metadata.conftest import Catalogue
from tests.metadata.documents import dataset, register, signed

pytestmark = pytest.mark.needs("chain")

ALICE, GATEWAY = dev_signer("owner"), dev_signer("provider")
HERE, THERE = "192.0.2.0/24", "198.51.100.0/24"


def wallet() -> LocalSigner:
    """An account that anyone can make for free."""
    return LocalSigner(secrets.token_bytes(32))


def document(chain: EmbeddedChain, signer: Signer) -> JsonObject:
    return signed(dataset(chain, signer), signer)


@pytest.fixture
async def small(make_catalogue: Callable[..., Catalogue]) -> Catalogue:
    """A catalogue with little space."""
    limits = PendingLimits(gateways=(GATEWAY.address,), per_creator=2, creators=3, per_network=2, strangers=3)
    made = make_catalogue(limits=limits)
    await made.start()
    return made


async def publish(catalogue: Catalogue, document: JsonObject, network: str = HERE) -> str:
    """Return the state of a published document, or the code with which it is refused."""
    try:
        return (await catalogue.service.accept(document, network=network)).state
    except InsituError as error:
        return error.code


async def test_wallets_of_one_network_are_one(small: Catalogue, chain: EmbeddedChain) -> None:
    states = [await publish(small, document(chain, wallet())) for _ in range(3)]
    assert states == ["pending", "pending", "PendingShareUsed"]
    assert await publish(small, document(chain, wallet()), THERE) == "pending"
    assert await publish(small, document(chain, wallet()), "203.0.113.0/24") == "PendingPoolFull"
    for _ in range(2):
        assert await publish(small, document(chain, ALICE)) == "pending"
        assert await publish(small, document(chain, GATEWAY)) == "pending"


async def test_a_unit_of_token_is_not_a_stake_and_coin_is(small: Catalogue, chain: EmbeddedChain) -> None:
    poor = [wallet() for _ in range(3)]
    for one in poor:
        await chain.transact(Call("NeverminedToken", "transfer", (one.address, 1)), ALICE)
    states = [await publish(small, document(chain, one)) for one in poor]
    assert states == ["pending", "pending", "PendingShareUsed"]
    for coin, expected in ((10**16 - 1, "PendingShareUsed"), (10**16, "pending")):
        await chain.rpc("anvil_setBalance", poor[0].address, hex(coin))
        assert await publish(small, document(chain, poor[0])) == expected


async def test_a_registrant_waits_with_the_creators_even_without_coin(small: Catalogue, chain: EmbeddedChain) -> None:
    one = wallet()
    await chain.rpc("anvil_setBalance", one.address, hex(10**18))
    asset = dataset(chain, one)
    await publish(small, signed(asset, one))
    await register(chain, asset, one)
    assert (await small.service.status(str(asset.did), wait=20)).state == "listed"
    await chain.rpc("anvil_setBalance", one.address, "0x0")
    for expected in ("pending", "pending", "PendingShareUsed"):
        assert await publish(small, document(chain, one), THERE) == expected
    assert await publish(small, document(chain, wallet()), THERE) == "pending"


async def test_creators_share_a_pool_and_gateways_none(small: Catalogue, chain: EmbeddedChain) -> None:
    others = [dev_signer(name) for name in ("second-owner", "consumer")]
    states = [await publish(small, document(chain, one)) for one in (ALICE, ALICE, ALICE, *others)]
    assert states == ["pending", "pending", "PendingShareUsed", "pending", "PendingPoolFull"]
    for _ in range(5):
        assert await publish(small, document(chain, GATEWAY)) == "pending"


async def test_a_refusal_says_what_is_full_and_when_there_is_room(small: Catalogue, chain: EmbeddedChain) -> None:
    answers = [await small.http.post(DDO, json=document(chain, wallet())) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    refusal = answers[-1]
    problem = refusal.json()
    assert (problem["code"], problem["retry"]) == ("PendingShareUsed", True)
    assert "127.0.0.0/24" in problem["detail"]
    assert "Retry-After" in problem["nextStep"]
    assert 3000 < int(refusal.headers["Retry-After"]) <= 3600


async def test_a_catalogue_learns_the_account_of_the_gateway_that_its_settings_name(
    small: Catalogue, chain: EmbeddedChain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, asked = wallet(), list[str]()

    async def told(url: str) -> SimpleNamespace:
        asked.append(url)
        with pytest.raises(InsituError, match="PeerUnavailable"):
            await small.service.published(
                other.address, "key", int(small.service._clock.now().timestamp()) + 60, bytes([1] * 64 + [27])
            )
        if len(asked) == 1:
            raise InsituError("PeerUnavailable", "it is just starting")
        return SimpleNamespace(provider_address=other.address)

    monkeypatch.setattr(provider, "gateway_info", told)
    monkeypatch.setattr(provider, "MEET_AGAIN", 0.0)
    settings = read_settings({"INSITU_GATEWAY__URL": "http://gateway.test"}, home=tmp_path)
    services = provider.Services(settings, "http://metadata.test", "a service key")
    await services._meet_gateway(small.service.pools, settings.gateway.url or "")
    assert asked == ["http://gateway.test"] * 2
    for _ in range(4):
        assert await publish(small, document(chain, other)) == "pending"
