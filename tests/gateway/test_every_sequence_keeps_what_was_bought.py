"""Whatever owners, a new owner, consumers and strangers do in whatever order, what was bought stays what it was.

Random sequences on a real chain, beside a model. After each step: the price as bought, the strictest rules of then and
now, an execution exactly if every owner's rules permit it, money only where the outcome sends it, and every version
proved by its creator.

``INSITU_SEQUENCES=100`` runs so many sequences, from the seed ``INSITU_FIRST_SEED`` on. A sequence that fails is told
step by step, and its seed repeats it.
"""

import os
from collections import Counter
from pathlib import Path

import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from tests.doubles.chain import seen_from_now
from tests.gateway.trade_sequences import Trade
from tests.gateway.world import RESULT, world

pytestmark = [pytest.mark.needs("chain"), pytest.mark.slow]

SEQUENCES = int(os.environ.get("INSITU_SEQUENCES", "4"))
FIRST_SEED = int(os.environ.get("INSITU_FIRST_SEED", "1"))
STEPS = 32

MET = {
    *("bought by the consumer", "bought by the second-consumer", "workflow sold", "revision of another refused"),
    *("success", "failure", "breakdown", "revision ran", "now stricter", "then stricter", "trespass refused"),
    "returned",
}
"""What the sequences that run by default have to meet, besides ``REFUSALS`` different reasons of a gateway."""
REFUSALS = 4


async def run(trade: Trade) -> None:
    await trade.begin()
    for _ in range(STEPS):
        await trade.step()
        await trade.compare()
    for bought in trade.purchases:
        await trade.close(bought)
    await trade.compare()
    assert (await trade.provider.balances())["escrow"] == trade.before["escrow"]


async def test_every_sequence_keeps_what_was_bought(started_chain: EmbeddedChain, tmp_path: Path) -> None:
    met: Counter[str] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + SEQUENCES):
        async with world(await seen_from_now(started_chain), tmp_path / str(seed)) as provider:
            provider.operator.runtime.script.update(await provider.output({"count.txt": RESULT}))
            trade = Trade(provider, seed, met)
            try:
                await run(trade)
            except BaseException as error:
                error.add_note("\n  ".join([f"sequence {seed}:", *trade.story]))
                raise
    if os.environ.keys() & {"INSITU_SEQUENCES", "INSITU_FIRST_SEED"}:
        return  # others need not meet everything
    assert set(+met) >= MET, f"too little was met: {met.most_common()}"
    refusals = {kind for kind in met if kind.startswith("execution: ")}
    assert len(refusals) >= REFUSALS, f"too little was refused: {met.most_common()}"
