"""The contract of ports/chain.py: code at an address decides what its account signed; otherwise recovery (ADR 0131)."""

import os

import pytest

from insitu.adapters.keys.dev import dev_signer
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, read_address
from tests.doubles.safe import Safe, deploy_safe
from tests.ports.chain.parties import Parties

DIGEST = b"\x07" * 32
VALID = "1626ba7e" + "00" * 28


async def safe_of(parties: Parties) -> Safe:
    return await deploy_safe(parties.url, (parties.owner, parties.consumer))


async def with_code(parties: Parties, code: str) -> Address:
    """An account whose contract is these instructions."""
    account = read_address("0x" + os.urandom(20).hex())
    await parties.anvil("anvil_setCode", account, "0x" + code)
    return account


async def test_a_plain_account_signed_what_its_key_signed(parties: Parties) -> None:
    signature = parties.owner.sign_digest(DIGEST)
    assert await parties.chain.signed_by(parties.owner.address, DIGEST, signature)
    assert not await parties.chain.signed_by(parties.stranger.address, DIGEST, signature)
    assert not await parties.chain.signed_by(parties.owner.address, b"\x08" * 32, signature)


@pytest.mark.parametrize("signature", [b"", bytes(65), b"\x01" * 64, b"\x01" * 66, b"\xff" * 65, bytes(5000)])
async def test_what_is_not_a_signature_is_nobodys(parties: Parties, signature: bytes) -> None:
    assert not await parties.chain.signed_by(parties.owner.address, DIGEST, signature)
    assert not await parties.chain.signed_by((await safe_of(parties)).address, DIGEST, signature)


async def test_a_contract_account_signed_what_its_contract_accepts(parties: Parties) -> None:
    safe, other = await safe_of(parties), await safe_of(parties)
    signature = safe.sign_digest(DIGEST)
    assert await parties.chain.signed_by(safe.address, DIGEST, signature)
    assert not await parties.chain.signed_by(safe.address, b"\x08" * 32, signature)
    assert not await parties.chain.signed_by(other.address, DIGEST, signature), "of the same owners"
    assert not await parties.chain.signed_by(parties.owner.address, DIGEST, signature)
    assert not await parties.chain.signed_by(safe.address, DIGEST, parties.owner.sign_digest(DIGEST)), "one of two"


async def test_a_contract_account_can_withdraw_its_signature(parties: Parties) -> None:
    safe = await safe_of(parties)
    signature = safe.sign_digest(DIGEST)
    await safe.close()
    assert not await parties.chain.signed_by(safe.address, DIGEST, signature)


async def test_a_key_whose_account_became_a_contract_signs_no_longer_for_it(parties: Parties) -> None:
    spare = dev_signer("spare")
    signature = spare.sign_digest(DIGEST)
    assert await parties.chain.signed_by(spare.address, DIGEST, signature)
    await parties.anvil("anvil_setCode", spare.address, "0x60006000fd")
    try:
        assert not await parties.chain.signed_by(spare.address, DIGEST, signature)
    finally:
        await parties.anvil("anvil_setCode", spare.address, "0x")


HOSTILE = {
    "reverts": "60006000fd",
    "never ends": "5b600056",
    "stops at an invalid instruction": "fe",
    "returns nothing": "00",
    "returns zero": "60206000f3",
    "returns one": "600160005260206000f3",
    "returns only the four bytes": f"7f{VALID}60005260046000f3",
    "returns the four bytes at the end of the word": "631626ba7e60005260206000f3",
    "wants ten megabytes of memory": f"7f{VALID}600052629896806000f3",
}


@pytest.mark.parametrize("code", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_contract_accepts_nothing_and_stops_nobody(parties: Parties, code: str) -> None:
    account = await with_code(parties, code)
    assert not await parties.chain.signed_by(account, DIGEST, parties.owner.sign_digest(DIGEST))


async def test_a_contract_that_accepts_everything_speaks_for_itself(parties: Parties) -> None:
    account = await with_code(parties, f"7f{VALID}60005260206000f3")
    assert await parties.chain.signed_by(account, DIGEST, bytes(4096))
    assert not await parties.chain.signed_by(account, DIGEST, bytes(4097))


async def test_a_contract_cannot_use_more_gas_than_one_signature_may(parties: Parties) -> None:
    # Accepts only if it was given 2,000,000 gas: GAS, PUSH3 2000000, LT → jump over the revert.
    account = await with_code(parties, f"5a621e848010600e5760006000fd5b7f{VALID}60005260206000f3")
    unbounded = {"to": account, "data": "0x", "gas": hex(5_000_000)}
    assert await parties.anvil("eth_call", unbounded, "latest") == "0x" + VALID
    assert not await parties.chain.signed_by(account, DIGEST, bytes(65))


async def test_a_node_that_fails_is_not_a_refusal(parties: Parties, monkeypatch: pytest.MonkeyPatch) -> None:
    from insitu.adapters.chain import signed_by

    monkeypatch.setattr(signed_by, "_SECONDS", 0)
    with pytest.raises(InsituError, match="ChainUnavailable"):
        await parties.chain.signed_by(parties.owner.address, DIGEST, parties.owner.sign_digest(DIGEST))
