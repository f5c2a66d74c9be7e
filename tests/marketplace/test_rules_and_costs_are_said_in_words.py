"""What a document's rules and prices mean, as the sentences of the pages."""

from typing import Any

import pytest

from insitu.domain.compute_service import ComputeService
from insitu.domain.ddo import read_ddo
from insitu.marketplace.descriptions import Description
from insitu.marketplace.samples import ONE, OWNER, SCIENTIST, TOKEN, did, document, status
from insitu.marketplace.words.costs import costs_in_short, costs_of
from insitu.marketplace.words.parts import Account, Named, Sentence, amount, spoken
from insitu.marketplace.words.rules import leaves_in_short, rules_of, runs_in_short
from insitu.marketplace.words.states import state_of

ALGORITHM = {"did": did(2), "checksum": "ab" * 32}


def text_of(sentence: Sentence) -> str:
    """A sentence without its marks."""
    return "".join(part if isinstance(part, str) else _text(part) for part in sentence)


def _text(part: Any) -> str:
    if isinstance(part, Account):
        return part.address
    return part.did if isinstance(part, Named) else str(part.text)


def service(**policy: Any) -> ComputeService:
    offer = Description(read_ddo(document(policy=policy))).offer
    assert offer is not None
    return offer


def priced(price: int, *servers: int, timeout: int = 86400, **policy: Any) -> ComputeService:
    offered = [{"serverId": f"s{at}", "price": str(cost), "maxExecutionTime": 60} for at, cost in enumerate(servers)]
    environment = {"supportedServers": offered}
    main = {"price": str(price), "timeout": timeout, "policy": policy, "provider": {"environment": environment}}
    return ComputeService.read(main)


def inside(**policy: Any) -> str:
    return "\n".join(text_of(sentence) for sentence in rules_of(service(**policy)).inside)


def leaving(**policy: Any) -> str:
    return "\n".join(text_of(sentence) for sentence in rules_of(service(**policy)).leaving)


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        ({}, "Any algorithm. The limits alone protect the data."),
        ({"algorithms": "any", "publishers": [OWNER]}, "Algorithms of one publisher, each in its newest version"),
        (
            {"publishers": [OWNER, SCIENTIST]},
            f"Algorithms of 2 publishers, each in its newest version: {OWNER}, {SCIENTIST}",
        ),
        ({"algorithms": [ALGORITHM]}, f"1 algorithm, in one exact version: {did(2)}. No other."),
        ({"algorithms": [ALGORITHM], "publishers": [OWNER]}, "And 1 algorithm, in one exact version"),
        ({"algorithms": []}, "No algorithm. Nothing runs until the owner allows one."),
        ({"maxExecutions": 1}, "At most 1 execution for each agreement."),
        ({"maxExecutions": 5000}, "At most 5,000 executions for each agreement."),
        ({"consumers": [OWNER]}, f"Only 1 account may buy: {OWNER}."),
        ({"consumers": []}, "Nobody may buy."),
        ({"consumers": "approved"}, "Nobody yet may buy"),
        ({"use": "Research."}, "May be used for: Research."),
        ({"revisions": "always"}, "The workflow may be changed at any time."),
        ({"revisions": "untilSuccess"}, "The workflow may be corrected until an execution succeeds."),
        ({}, "Only the workflow that was bought runs."),
        ({"parameters": ["year", "month"]}, "Each execution may set year, month."),
        ({"data": "pinned"}, "reads the files that were bought, and ends if one of them has changed."),
        ({"moon": 1}, "Nothing runs while the document has the rule /moon, unknown here."),
        ({}, "At most 1 hour, 1 core, 1.5\u00a0GB memory, 500\u00a0MB disk (server demo)."),
    ],
)
def test_what_happens_next_to_the_data(policy: dict[str, Any], sentence: str) -> None:
    assert sentence in inside(**policy)


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        ({}, "Any kind of file, 500\u00a0MB in 10,000 files at most."),
        (
            {"output": {"types": [".csv", "png", ".dcm=binary"]}},
            "csv, png and dcm files, 500\u00a0MB in 10,000 files at most.",
        ),
        ({"output": {"types": []}}, "No file. The rules allow no type."),
        ({"output": {"maxBytes": 1000, "maxFiles": 1}}, "Any kind of file, 1\u00a0kB in 1 file at most."),
        ({"logs": "none"}, "No log."),
        ({"output": {"maxLogBytes": 0}}, "No log."),
        ({}, "The log, live while it runs, 16.8\u00a0MB at most."),
        ({"output": {"maxLogBytes": 2000}}, "The log, live while it runs, 2\u00a0kB at most."),
        ({"review": "manual"}, "A person must read it first."),
        ({}, "No person reads it first."),
        ({"output": {"maxBytes": 1000}, "logs": "none", "maxExecutions": 3}, "together: 3\u00a0kB at most."),
        ({}, "Never the data set. There is no download."),
    ],
)
def test_what_may_leave(policy: dict[str, Any], sentence: str) -> None:
    assert sentence in leaving(**policy)


@pytest.mark.parametrize(
    ("policy", "head"),
    [
        ({}, "Any algorithm"),
        ({"publishers": [OWNER]}, "Algorithms of 1 publisher"),
        ({"algorithms": [ALGORITHM, ALGORITHM]}, "2 algorithms"),
        ({"algorithms": []}, "Nothing yet"),
        ({"review": "manual"}, "Nothing yet"),
        ({"moon": 1}, "Nothing yet"),
    ],
)
def test_what_may_run_in_short(policy: dict[str, Any], head: str) -> None:
    assert runs_in_short(service(**policy)).head == head


def test_what_may_leave_in_short() -> None:
    fact = leaves_in_short(service(output={"types": [".csv", ".png"], "maxBytes": 10**6, "maxFiles": 10}))
    assert (fact.head, fact.detail) == ("csv, png", "1\u00a0MB in 10 files at most; log live")
    many = leaves_in_short(service(output={"types": [f".t{number}=text" for number in range(9)]}))
    assert many.head == "t0, t1, t2, t3, t4 and 4 more"


@pytest.mark.parametrize(
    ("offer", "head", "detail"),
    [
        (priced(5 * ONE, 2 * ONE), "5\u00a0NVM", "plus server, 2\u00a0NVM"),
        (priced(0, 2 * ONE), "Free", "plus server, 2\u00a0NVM"),
        (priced(0, 0), "Free", "server too"),
        (priced(5 * ONE, 2 * ONE, ONE // 2), "5\u00a0NVM", "plus server, from 0.5\u00a0NVM"),
        (priced(5 * ONE), "5\u00a0NVM", "no server is offered"),
    ],
)
def test_the_price_in_short(offer: ComputeService, head: str, detail: str) -> None:
    fact = costs_in_short(offer, TOKEN)
    assert (fact.head, fact.detail) == (head, detail)


def test_a_price_nobody_knows_the_token_of_is_in_base_units() -> None:
    assert amount(5, None) == "5 base units"


def test_what_is_not_sold_any_more_says_its_last_price() -> None:
    fact = costs_in_short(priced(5 * ONE), TOKEN, sold=False)
    assert (fact.head, fact.detail) == ("Not sold", "was 5\u00a0NVM")


def outcomes(offer: ComputeService) -> dict[str, str]:
    return {outcome.when: text_of(outcome.paid) for outcome in costs_of(offer, TOKEN).outcomes}


def test_what_is_paid_by_how_a_run_ends() -> None:
    found = outcomes(priced(5 * ONE, 2 * ONE))
    assert found["succeeds, the first time"] == "7\u00a0NVM, once: 5 to the owner, 2 for the server"
    assert found["succeeds again, until the agreement ends"] == "nothing"
    failed = next(paid for when, paid in found.items() if when.startswith("fails by the algorithm"))
    assert "nothing now." in failed
    assert "within 24 hours, the provider may still charge up to 7\u00a0NVM" in failed
    assert next(paid for when, paid in found.items() if "infrastructure" in when) == "never anything"
    assert "from 10 minutes, or 25 hours 1 minute, after" in found["is never granted, or never settled"]


def test_free_failures_never_cost_anything_except_those_a_consumer_causes() -> None:
    found = outcomes(priced(5 * ONE, 2 * ONE, failures="free", logs="none"))
    assert found["fails by the algorithm, or by a limit other than time"] == "never anything"
    assert "nothing now." in next(paid for when, paid in found.items() if when.startswith("breaks a rule"))


def test_failures_are_free_only_where_the_log_cannot_carry_the_result() -> None:
    assert not any(when.startswith("fails by the algorithm, or by") for when in outcomes(priced(1, 1, failures="free")))


def test_nothing_that_is_free_has_a_table_of_costs() -> None:
    costs = costs_of(priced(0, 0), TOKEN)
    assert (costs.price, costs.outcomes) == ("Free", ())


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(86400, "24 hours"), (3600, "1 hour"), (90_000, "25 hours"), (600, "10 minutes"), (1, "1 second"),
     (30 * 86400, "30 days"), (3660, "1 hour 1 minute"), (12_060, "3 hours 21 minutes")],
)  # fmt: skip
def test_times_are_said_in_whole_words(seconds: int, said: str) -> None:
    assert spoken(seconds) == said


def test_states_say_what_follows_from_them() -> None:
    assert state_of(status("listed"), "data set").word == "Listed"
    assert state_of(status("pending"), "data set").word == "Pending"
    pending = state_of(status("pending", confirmed=2, confirmations=12), "data set")
    assert (pending.word, pending.sign) == ("Pending, 2 of 12 confirmations", "wait")
    paused = state_of(status(), "data set", is_paused=True)
    assert paused.word == "Paused"
    assert "refused as AssetRetired" in text_of(paused.notes[0])
    assert state_of(status("retired"), "data set", is_paused=True).word.startswith("Retired")
    hidden = state_of(status("hidden", reason="It has names."), "data set")
    assert "for this reason: It has names." in text_of(hidden.notes[0])
    retired = state_of(status("retired"), "algorithm", successor=did(7))
    assert retired.word == "Retired on 3 Nov 2026"
    assert "This algorithm is no longer sold." in text_of(retired.notes[0])
    assert text_of(retired.notes[1]) == f"The owner names a successor: {did(7)}."
