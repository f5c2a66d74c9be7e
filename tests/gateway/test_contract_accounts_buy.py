"""A consumer whose account is a contract buys, is granted and executes; its signature is judged by its contract."""

import pytest

from insitu.adapters.chain.contracts import encode_call
from insitu.domain.agreement import Terms, terms_digest
from insitu.domain.ledger import Call
from insitu.domain.purchase import SignedPurchase
from insitu.ports.agreement_records import Standing
from tests.doubles.safe import Safe, deploy_safe
from tests.gateway.purchases import code_of, id_of, offered_terms, post, signed
from tests.gateway.world import World, approval, json_of

pytestmark = pytest.mark.needs("chain")


async def safe_with_tokens(provider: World) -> Safe:
    safe = await deploy_safe(provider.chain.url, (provider.people["consumer"], provider.people["stranger"]))
    give = Call("NeverminedToken", "transfer", (safe.address, 100))
    await provider.chain.transact(give, provider.people["consumer"])
    return safe


def purchase(provider: World, terms: Terms, safe: Safe) -> SignedPurchase:
    signature = safe.sign_digest(terms_digest(terms, provider.chain.agreements))
    return SignedPurchase(terms=terms, signature="0x" + signature.hex())


async def allow(provider: World, safe: Safe, amount: int) -> None:
    call = approval(provider.chain, amount)
    await safe.execute(provider.chain.contract(call.contract), encode_call(call), provider.people["stranger"])


async def test_a_contract_account_buys_with_an_allowance_and_executes(provider: World) -> None:
    safe = await safe_with_tokens(provider)
    terms = (await offered_terms(provider)).model_copy(update={"consumer": safe.address})
    refused = json_of(await post(provider, purchase(provider, terms, safe)))
    assert refused["code"] == "AllowanceTooLow"
    assert "a contract account cannot sign a permit" in refused["detail"]
    await allow(provider, safe, terms.total)
    assert (await post(provider, purchase(provider, terms, safe))).status_code == 202
    await provider.until_standing(id_of(provider, terms), Standing.GRANTED)
    provider.people["safe"] = safe  # type: ignore[assignment]  # it signs like a key
    started = await provider.exec(id_of(provider, terms), "safe")
    await provider.until_events(started.workflow_execution_id, "settled", "end")
    assert await provider.chain.balance(safe.address) == 100 - terms.total


async def test_nobody_buys_in_the_name_of_a_contract_account(provider: World) -> None:
    safe = await safe_with_tokens(provider)
    terms = (await offered_terms(provider)).model_copy(update={"consumer": safe.address})
    await allow(provider, safe, terms.total)
    for who in ("consumer", "stranger"):  # each is one of its two owners
        forged = (await signed(provider, terms, who, allowed=0)).signature
        assert await code_of(provider, SignedPurchase(terms=terms, signature=forged)) == "SignatureMismatch"
    withdrawn = purchase(provider, terms, safe)
    await safe.close()
    assert await code_of(provider, withdrawn) == "SignatureMismatch"


async def test_a_key_gets_a_permit_and_a_contract_account_gets_none(provider: World) -> None:
    safe, escrow = await safe_with_tokens(provider), provider.chain.agreements.contract
    assert await provider.chain.permit(safe, escrow, 5, 2**40) is None
    assert safe.signed == [], "it is not asked to sign what no token accepts"
