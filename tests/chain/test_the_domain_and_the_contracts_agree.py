"""The same calls at the same times, made of the domain's model and of the deployed contracts: outcomes are the same.

Random sequences of all calls on agreements, by the right and the wrong people, in and out of time. After each step
the refusal with both its sides, or the events, are compared, then balances, states, conditions and permissions.
``INSITU_DIFFERENTIAL=200`` runs so many sequences; the default takes some seconds.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.allowances import approve
from tests.chain.agreement_sequences import SIGNERS, Agreements, Market, deadlines
from tests.doubles.chain import running_chain

pytestmark = [pytest.mark.needs("chain"), pytest.mark.slow]

SEQUENCES = int(os.environ.get("INSITU_DIFFERENTIAL", "12"))
STEPS = 40

KINDS = 12
"""The sequences meet at least this many different outcomes: calls that succeed, and refusals."""

PATHS: dict[str, tuple[str, ...]] = {
    "none": (),
    "created": ("createAgreement",),
    "cancelled": ("createAgreement", "cancel"),
    "locked": ("createAgreement", "LockRewardCondition.fulfill"),
    "refused": ("createAgreementAndLock", "refuse"),
    "open": ("createAgreementAndLock", "ComputeExecutionCondition.fulfill"),
    "paid in part": ("createLockGrant", "half"),
    "paid": ("createLockGrant", "half", "rest"),
    "closed": ("createLockGrant", "last"),
}
"""How an agreement comes into each state of contracts/docs/States.md."""


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    with asyncio.Runner() as runner:
        context = running_chain(tmp_path_factory.mktemp("chain"))
        chain = runner.run(context.__aenter__())
        yield Market(chain, runner)
        runner.run(context.__aexit__(None, None, None))


def test_the_domain_and_the_contracts_agree(market: Market) -> None:
    Agreements.market = market
    Agreements.outcomes = Counter()
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    chosen = settings(
        max_examples=SEQUENCES,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=checks,
        derandomize=True,
        # A sequence that fails is shown as it is: making it shorter takes minutes of calls.
        phases=[Phase.generate],
    )
    Agreements.TestCase.settings = chosen
    Agreements.TestCase("runTest").runTest()
    met = Agreements.outcomes
    assert len(met) >= KINDS, f"too little was met: {met.most_common()}"


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_every_call_around_every_deadline_in_every_state(market: Market, path: tuple[str, ...]) -> None:
    """At each deadline, one second before and one after, everyone makes the calls that they may make."""
    Agreements.market = market
    machine = Agreements()
    machine.begin(granted=False)
    terms = machine.plain_terms(SIGNERS["consumer"].address)
    machine.terms.append(terms)
    machine.call("consumer", approve(machine.model.domain.contract, 1000), lambda m, _: m.approve(terms.consumer, 1000))
    for step in path:
        machine.right_call(terms, step)
    before = sum(machine.outcomes.values())
    moments = {end + shift for end in deadlines(machine.model.deal(terms)) for shift in (-1, 0, 1)}
    for moment in sorted(moments | {machine.now + 1}):
        for name in machine.right_calls(terms):
            with machine.tried():
                machine.now = moment - 1
                machine.right_call(terms, name)
    assert sum(machine.outcomes.values()) >= before + 10 * len(moments)
