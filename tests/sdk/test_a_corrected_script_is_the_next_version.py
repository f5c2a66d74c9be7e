"""A corrected script is the next version of the algorithm that its account made: rules of trust hold (ADR 0139)."""

from pathlib import Path

import pytest

from insitu.domain.errors import InsituError
from tests.sdk.market import Market
from tests.sdk.test_an_interrupted_revision_goes_on import CORRECTED, in_another_process
from tests.sdk.test_how_often_a_wallet_asks import CountingSigner, failed_run, penniless, script, versions_of

pytestmark = [pytest.mark.needs("chain"), pytest.mark.slow]


def folder_of(path: Path, **files: str) -> Path:
    path.mkdir(exist_ok=True)
    for old in path.iterdir():
        old.unlink()
    for name, text in files.items():
        (path / f"{name}.py").write_text(text)
    return path


async def test_files_that_were_only_renamed_are_another_version(provider: Market, tmp_path: Path) -> None:
    consumer, signer, agreement = await failed_run(provider, tmp_path)

    async def asked(**files: str) -> int:
        signer.asked = 0
        folder = folder_of(tmp_path / "code", **files)
        await (await consumer.revise(agreement, folder, entrypoint="python3 main.py")).wait()
        return signer.asked

    assert await asked(library="VALUE = 1\n", main="import librarie\n") == 1
    assert await asked(library="VALUE = 1\n", main="import librarie\n") == 0
    assert await asked(librarie="VALUE = 1\n", main="import librarie\n") == 1
    assert await versions_of(consumer, agreement) == [3, 3]


async def test_rules_of_trust_hold_for_revisions(provider: Market, tmp_path: Path) -> None:
    """Publishers' current versions may run; an algorithm that a rule lists is no other version of itself."""
    trusted = [provider.world.address("consumer")]
    consumer, signer, agreement = await failed_run(provider, tmp_path, algorithms=[], publishers=trusted)
    workflow = (await consumer.agreements.show(agreement)).workflow_did
    unused = await consumer.agreements.buy(workflow)
    signer.asked = 0
    await (await consumer.revise(agreement, script(tmp_path, CORRECTED))).wait()
    assert signer.asked == 1
    # What has run may run again; what has not is outdated now, and a revision repairs that.
    await (await consumer.compute.execute(agreement)).wait()
    with pytest.raises(InsituError, match="AlgorithmOutdated"):
        await consumer.compute.execute(unused.id)
    await (await consumer.revise(unused.id, tmp_path / "count.py")).wait()
    assert await versions_of(consumer, agreement) == [2, 2]


async def test_a_listed_algorithm_is_not_revised_and_nothing_is_signed(provider: Market, tmp_path: Path) -> None:
    consumer, _ = await provider.client("consumer")
    listed = await consumer.assets.publish_algorithm("count.py", script(tmp_path))
    owner, _ = await provider.client("owner")
    data = await provider.dataset(owner, "Listed", algorithms=[listed.did], revisions="always")
    execution = await consumer.run(tmp_path / "count.py", on=data)
    await execution.wait()
    signer = CountingSigner(provider.world.people["consumer"])
    provider.world.people["consumer"] = signer  # type: ignore[assignment]
    again = await in_another_process(provider, signer)
    with pytest.raises(InsituError, match="AlgorithmNotAllowed"):
        await again.revise(execution.agreement_id, script(tmp_path, "print('otherwise')\n"))
    assert signer.asked == 0
    assert await versions_of(again, execution.agreement_id) == [1, 1]


async def test_an_algorithm_of_somebody_else_is_replaced_once_and_then_revised(
    provider: Market, tmp_path: Path
) -> None:
    stranger, _ = await provider.client("stranger")
    theirs = await stranger.assets.publish_algorithm("Theirs", {"count.py": "print('theirs')\n"})
    owner, _ = await provider.client("owner")
    data = await provider.dataset(owner, "Theirs", revisions="always")
    signer = CountingSigner(provider.world.people["consumer"])
    provider.world.people["consumer"] = signer  # type: ignore[assignment]
    consumer = await in_another_process(provider, signer)
    execution = await consumer.run(theirs.did, on=data)
    await execution.wait()
    for text, asked in (("print('mine')\n", 2), (CORRECTED, 1)):
        signer.asked = 0
        await (await consumer.revise(execution.agreement_id, script(tmp_path, text))).wait()
        assert signer.asked == asked
    assert len(await consumer.assets.versions(theirs.did)) == 1


async def test_a_consumer_without_coin_corrects_more_often_than_four_times_a_day(
    provider: Market, tmp_path: Path
) -> None:
    consumer, _, agreement = await failed_run(provider, tmp_path)
    await penniless(provider, "consumer")
    for number in range(2, 8):
        await (await consumer.revise(agreement, script(tmp_path, f"print({number})\n"))).wait()
    assert await versions_of(consumer, agreement) == [7, 7]
