"""Convert the terms of an agreement: the domain writes hexadecimal digits, the contracts take bytes."""

from insitu.adapters.chain.bindings import structs
from insitu.domain.agreement import Terms

__all__ = ["contract_terms", "domain_terms"]


def contract_terms(terms: Terms) -> structs.Terms:
    """Return the terms as the contracts take them."""
    return structs.Terms(
        seed=_bytes(terms.seed),
        did=_bytes(terms.did),
        ddo_hash=_bytes(terms.ddo_hash),
        workflow_id=_bytes(terms.workflow_id),
        workflow_hash=_bytes(terms.workflow_hash),
        consumer=terms.consumer,
        provider=terms.provider,
        service_index=terms.service_index,
        deadline=terms.deadline,
        grant_timeout=terms.grant_timeout,
        timeout=terms.timeout,
        settle_timeout=terms.settle_timeout,
        amounts=terms.amounts,
        receivers=terms.receivers,
    )


def domain_terms(terms: structs.Terms) -> Terms:
    """Return the terms as the domain writes them; they come from the chain, so they are checked again."""
    return Terms(
        seed=_digits(terms.seed),
        did=_digits(terms.did),
        ddo_hash=_digits(terms.ddo_hash),
        workflow_id=_digits(terms.workflow_id),
        workflow_hash=_digits(terms.workflow_hash),
        consumer=terms.consumer,
        provider=terms.provider,
        service_index=terms.service_index,
        deadline=terms.deadline,
        grant_timeout=terms.grant_timeout,
        timeout=terms.timeout,
        settle_timeout=terms.settle_timeout,
        amounts=terms.amounts,
        receivers=terms.receivers,
    )


def _bytes(word: str) -> bytes:
    return bytes.fromhex(word.removeprefix("0x"))


def _digits(word: bytes) -> str:
    return "0x" + word.hex()
