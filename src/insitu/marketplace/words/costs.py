"""What an agreement costs, in sentences: the price, and what is paid by how an execution ends."""

from collections.abc import Iterator
from dataclasses import dataclass

from insitu.domain.compute_service import ComputeService
from insitu.domain.errors import InsituError
from insitu.marketplace.words.parts import Sentence, Strong, amount, number, spoken
from insitu.marketplace.words.rules import Fact
from insitu.ports.chain import TokenInfo

NOTHING: Sentence = (Strong("nothing"),)
NEVER: Sentence = (Strong("never anything"),)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How something ends, and what is paid then."""

    when: str
    paid: Sentence


@dataclass(frozen=True, slots=True)
class Costs:
    """The price of an agreement on one data set.

    Attributes
    ----------
    price, server
        As they stand beside the rules: ``5 NVM`` and ``2 server``; the server is empty if it costs nothing.
    summary
        What a failed run costs, and until when a further one is free.
    outcomes
        Empty if nothing costs anything.
    """

    price: str
    server: str
    summary: str
    outcomes: tuple[Outcome, ...]


def costs_in_short(service: ComputeService, token: TokenInfo | None, *, sold: bool = True) -> Fact:
    """Return the price, for a list; ``sold`` is whether it can still be bought."""
    price, server = service.price, _cheapest(service)
    if not sold:
        return Fact("Not sold", f"was {amount(price, token)}" if price else "was free")
    head = amount(price, token) if price else "Free"
    if server:
        return Fact(head, f"plus server, {_from(service)}{amount(server, token)}")
    return Fact(head, "no server is offered" if server is None else "server too" if not price else "server free")


def costs_of(service: ComputeService, token: TokenInfo | None) -> Costs:
    """Return what an agreement on this service costs."""
    price, server = service.price, _cheapest(service) or 0
    total, ends = price + server, spoken(service.timeout)
    shown = amount(price, token) if price else "Free"
    beside = f"{_from(service)}{number(server, token)} server" if server else ""
    if not total:
        return Costs("Free", "", f"Every run is free, for {ends} after the purchase.", ())
    summary = f"A failed run costs nothing now. Each further run is free for {ends}."
    return Costs(shown, beside, summary, tuple(_outcomes(service, token, total)))


def _outcomes(service: ComputeService, token: TokenInfo | None, total: int) -> Iterator[Outcome]:
    whole, ends = f"{_from(service)}{amount(total, token)}", spoken(service.timeout)
    later: Sentence = (
        Strong("nothing now."),
        f" Run again. If none succeeds within {ends}, the provider may still charge up to {amount(total, token)}.",
    )
    yield Outcome("succeeds, the first time", (Strong(whole), f", once{_split(service, token)}"))
    yield Outcome("succeeds again, until the agreement ends", NOTHING)
    yield Outcome("succeeds, but neither a file nor log text leaves", NOTHING)
    charged = "fails by the algorithm or a limit, breaks a rule, or you stop it"
    if service.policy.failures_are_free:
        yield Outcome("fails by the algorithm, or by a limit other than time", NEVER)
        charged = "breaks a rule of its output or the limit of time, or you stop it"
    yield Outcome(charged + "; or the owner or unreadable data stop it after you saw log text", later)
    yield Outcome("fails by the infrastructure, or the provider stops it, or the owner before you saw log text", NEVER)
    yield Outcome("is never granted, or never settled", (*NOTHING, _money_back(service)))


def _split(service: ComputeService, token: TokenInfo | None) -> str:
    """Say who gets how much, if both are paid."""
    price, server = service.price, _cheapest(service)
    if not price or not server:
        return ""
    return f": {number(price, token)} to the owner, {_from(service)}{number(server, token)} for the server"


def _money_back(service: ComputeService) -> str:
    try:
        times = service.times()
    except InsituError:
        return "; you can take the money back"
    granted, settled = spoken(times.grant_timeout), spoken(times.timeout + times.settle_timeout)
    return f"; from {granted}, or {settled}, after the purchase on you can take the money back"


def _cheapest(service: ComputeService) -> int | None:
    return min((server.price for server in service.servers), default=None)


def _from(service: ComputeService) -> str:
    """Return ``from `` if servers have different prices."""
    return "from " if len({server.price for server in service.servers}) > 1 else ""
