"""A run that is impossible or too expensive leaves nothing behind: the check comes before publishing and uploading."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from insitu.api.gateway_v1 import CheckRequest
from insitu.domain.algorithm import AlgorithmDescription
from insitu.domain.errors import InsituError
from insitu.sdk.client import Client
from insitu.sdk.workflows import NewAlgorithm, Previous, Stage
from tests.sdk.market import Market

pytestmark = [pytest.mark.needs("chain"), pytest.mark.slow]

OTHER_IMAGE = {"image": "other/image", "tag": "1", "checksum": "sha256:" + "2" * 64}
NOBODY = "did:nv:" + "0" * 64
NEW = NewAlgorithm(AlgorithmDescription(entrypoint="python3 count.py"))


def wrote(requests: list[httpx.Request]) -> list[str]:
    """What was changed at the provider; a check and a sign-in change nothing."""
    asked = ("/check", "/oauth/token")
    return [
        request.url.path for request in requests if request.method != "GET" and not request.url.path.endswith(asked)
    ]


def script(tmp_path: Path, text: str = "print('counting')\n") -> Path:
    path = tmp_path / "count.py"
    path.write_text(text)
    return path


async def coin(client: Client) -> int:
    """What a transaction would have been paid from."""
    return await client.chain.native_balance(client.account)


@pytest.mark.parametrize(
    ("options", "offer", "code"),
    [
        ({}, {"algorithms": [], "publishers": ["0x" + "1" * 40]}, "AlgorithmNotAllowed"),
        ({"on": NOBODY}, {}, "AssetNotFound"),
        ({"container": OTHER_IMAGE}, {}, "ImageNotAllowed"),
        ({"server_id": "huge"}, {}, "NoSuitableServer"),
        ({"max_price": "0.5"}, {"price": 1}, "PriceTooHigh"),
        ({"max_price": "cheap"}, {}, "InvalidAmount"),
        ({"entrypoint": "python3 'count.py"}, {}, "InvalidDocument"),
        ({}, {"price": 10**9}, "InsufficientFunds"),
        ({"configuration": {"not a name": 1}}, {}, "InvalidDocument"),
    ],
)
async def test_a_run_that_cannot_be_leaves_nothing(
    shared_provider: Market, tmp_path: Path, options: dict[str, Any], offer: dict[str, Any], code: str
) -> None:
    owner, _ = await shared_provider.client("owner")
    consumer, detour = await shared_provider.client("consumer")
    data = await shared_provider.dataset(owner, f"{options} {offer}", **offer)
    before = await coin(consumer)
    with pytest.raises(InsituError) as refused:
        await consumer.run(script(tmp_path), **{"on": data, **options})
    assert refused.value.code == code
    assert wrote(detour.seen) == []
    assert await coin(consumer) == before


async def test_files_that_are_not_there_are_reported_before_anybody_is_asked(shared_provider: Market) -> None:
    consumer, detour = await shared_provider.client("consumer")
    with pytest.raises(InsituError, match="no-such-file"):
        await consumer.run("no-such-file.py", on=NOBODY)
    assert detour.seen == []


async def test_a_script_is_judged_without_publishing_it(shared_provider: Market, tmp_path: Path) -> None:
    owner, _ = await shared_provider.client("owner")
    consumer, detour = await shared_provider.client("consumer")
    before = await coin(consumer)
    path = script(tmp_path, "print('never published')\n")
    open_to_all = await shared_provider.dataset(owner, "open", price="2")
    quote = await consumer.check(path, on=open_to_all)
    assert (quote.allowed, str(quote.price), quote.did) == (True, "2.000000000000000003 NVM", open_to_all)
    assert (quote.workflow_did, quote.workflow_hash) == ("", "")

    trusting = await shared_provider.dataset(owner, "trusting", algorithms=[], publishers=[consumer.account])
    assert (await consumer.check(path, on=[trusting, open_to_all])).allowed
    listing = await shared_provider.dataset(owner, "listing", algorithms=[])
    refused = await consumer.check(path, on=listing)
    assert [reason.code for reason in refused.reasons] == ["AlgorithmNotAllowed"]
    assert f"a new algorithm of {consumer.account}" in refused.reasons[0].message
    assert wrote(detour.seen) == []
    assert await coin(consumer) == before


async def test_what_is_published_already_is_judged_as_what_it_is(provider: Market, tmp_path: Path) -> None:
    owner, _ = await provider.client("owner")
    consumer, detour = await provider.client("consumer")
    path = script(tmp_path)
    algorithm = await consumer.assets.publish_algorithm(path.name, path)
    assert await consumer.assets.read_algorithm(path.name, path) == algorithm.did
    listing = await provider.dataset(owner, algorithms=[algorithm.did])
    written = len(wrote(detour.seen))
    assert (await consumer.check(path, on=listing)).allowed
    assert not (await consumer.check(script(tmp_path, "print('changed')\n"), on=listing)).allowed
    assert len(wrote(detour.seen)) == written
    execution = await consumer.run(script(tmp_path), on=listing)
    assert (await execution.wait()).phase == "Succeeded"


async def test_an_algorithm_that_is_refused_was_not_uploaded(shared_provider: Market) -> None:
    consumer, detour = await shared_provider.client("consumer")
    with pytest.raises(InsituError, match="InvalidDocument: at most 500 characters"):
        await consumer.assets.publish_algorithm("x" * 501, {"run.py": "print()"})
    assert wrote(detour.seen) == []


class Bucket:
    """Object stores that have one object, and a server of the web that must not be called."""

    async def check(self, url: str) -> None:
        return

    async def open(self, url: str) -> AsyncIterator[bytes]:
        assert url.startswith("s3:"), "strangers may name urls of the web, and the gateway does not call them"
        if url != "s3://bucket/there.csv":
            raise InsituError("ConfigurationFailed", f"s3://bucket has no object {url!r}")
        yield b"a,b\n"


async def test_an_object_that_is_not_there_is_not_published(provider: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket, sources = Bucket(), provider.world.desk.ports.sources
    monkeypatch.setattr(sources, "check", bucket.check)
    monkeypatch.setattr(sources, "open", bucket.open)
    owner, detour = await provider.client("owner")
    before = await coin(owner)
    with pytest.raises(InsituError, match=r"ObjectUnreadable: file 1: .*gone\.csv"):
        await owner.assets.publish_dataset("Gone", ["s3://bucket/there.csv", "s3://bucket/gone.csv"], algorithms="any")
    assert [path.rpartition("/")[2] for path in wrote(detour.seen)] == ["encrypt"]
    assert await coin(owner) == before
    await owner.assets.publish_dataset("There", ["s3://bucket/there.csv", "https://web.test/a"], algorithms="any")


async def test_stages_are_judged_together(shared_provider: Market) -> None:
    owner, _ = await shared_provider.client("owner")
    consumer, _ = await shared_provider.client("consumer")
    data = await shared_provider.dataset(owner, "stages")
    stages = [Stage(algorithm=NEW, inputs=[data]), Stage(algorithm=NEW, inputs=[Previous(0)])]
    assert (await consumer.check_stages(stages)).allowed
    with pytest.raises(InsituError, match="StageOrder"):
        await consumer.check_stages([Stage(algorithm=NEW, inputs=[data, Previous(1)]), stages[0]])


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"workflow_did": NOBODY, "workflow": {"stages": []}},
    ],
)
def test_a_check_is_of_one_workflow(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either workflowDid or workflow"):
        CheckRequest(consumer="0x" + "1" * 40, **asked)


@pytest.mark.parametrize(
    ("workflow", "code"),
    [
        ({}, "InvalidDocument"),
        ({"stages": "none"}, "InvalidDocument"),
        ({"stages": [{"index": 0}]}, "InvalidDocument"),
        ({"stages": [{}] * 101}, "TooManyStages"),
        ({"stages": [{"input": [{}] * 101}]}, "TooManyStages"),
        ({"stages": [{"index": 0, "requirements": {"container": OTHER_IMAGE},
                      "input": [{"index": n, "id": "did:nv:" + f"{n:064x}"} for n in range(21)]}]}, "InvalidRequest"),
    ],
)  # fmt: skip
async def test_nonsense_is_refused_and_costs_no_look_up(
    shared_provider: Market, workflow: dict[str, Any], code: str
) -> None:
    consumer, _ = await shared_provider.client("consumer")
    with pytest.raises(InsituError, match=code):
        await consumer.gateway.check(CheckRequest(consumer=consumer.account, workflow=workflow))
