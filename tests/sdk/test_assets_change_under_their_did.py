"""An owner changes price, files, rules and description of an asset; its DID stays (ADR 0120)."""

import secrets
from pathlib import Path
from typing import Any

import pytest

from insitu.domain.ddo import read_ddo
from insitu.domain.errors import InsituError
from insitu.domain.version_changes import describe_changes
from insitu.sdk.client import Client
from insitu.sdk.workflows import Stage
from tests.sdk.market import Market

pytestmark = pytest.mark.needs("chain")


@pytest.fixture
def provider(shared_provider: Market) -> Market:
    return shared_provider


def compute(**main: Any) -> dict[str, Any]:
    """Return what changes in a data set's compute service."""
    return {"type": "compute", "attributes": {"main": main}}


async def data_of(provider: Market) -> tuple[Client, str]:
    """Publish a data set that no other test has."""
    owner, _ = await provider.client("owner")
    return owner, await provider.dataset(owner, f"Flights {secrets.token_hex(4)}")


async def test_a_member_replaces_the_present_one_and_none_removes_it(provider: Market) -> None:
    owner, did = await data_of(provider)
    before = await owner.assets.resolve(did)
    told: list[tuple[str, ...]] = []

    price = str(25 * 10**17)
    after = await owner.assets.update_asset(
        did,
        {"main": {"price": price}, "additionalInformation": {"description": "Flights of 2013", "tags": ["air"]}},
        [compute(price=price, policy={"publishers": [owner.account], "algorithms": None})],
        confirm=told.append,
    )

    assert after.did == did
    [changes] = told
    assert "metadata additionalInformation.description: nothing → Flights of 2013" in changes
    assert any(text.startswith("compute price: ") and text.endswith("→ 2.5 NVM") for text in changes)
    assert "compute policy.algorithms: any → nothing" in changes
    assert not any("serviceAgreementTemplate" in text for text in changes)
    service = (await owner.assets.resolve(did)).compute_service()
    assert service.main["policy"]["publishers"] == [owner.account]
    assert "algorithms" not in service.main["policy"]
    amounts = [
        parameter["value"]
        for condition in service.main["serviceAgreementTemplate"]["conditions"]
        for parameter in condition["parameters"]
        if parameter["name"] == "_amount"
    ]
    assert amounts == [price]
    assert service.main["timeout"] == before.compute_service().main["timeout"]


async def test_nothing_is_signed_before_the_owner_agreed_and_nothing_if_nothing_changes(provider: Market) -> None:
    owner, did = await data_of(provider)
    version = (await owner.assets.status(did)).version

    def refuse(changes: tuple[str, ...]) -> None:
        raise InsituError("InvalidRequest", "; ".join(changes))

    with pytest.raises(InsituError, match=r"metadata name: Flights \w+ → Trains"):
        await owner.assets.update_asset(did, {"name": "Trains"}, confirm=refuse)
    name = (await owner.assets.resolve(did)).main["name"]
    assert (await owner.assets.update_asset(did, {"name": name}, confirm=refuse)).reused
    assert (await owner.assets.status(did)).version == version


async def test_an_update_needs_the_owner_and_an_existing_service(provider: Market) -> None:
    owner, did = await data_of(provider)
    stranger, _ = await provider.client("stranger")
    with pytest.raises(InsituError, match="NotOwner"):
        await stranger.assets.update_asset(did, {"price": "0", "name": "Mine"})
    with pytest.raises(InsituError, match="ServiceNotFound"):
        await owner.assets.update_asset(did, {}, [{"type": "access", "attributes": {"main": {}}}])
    with pytest.raises(InsituError, match="ServiceNotFound"):
        await owner.assets.update_asset(did, {}, [compute(price="0") | {"index": 9}])
    with pytest.raises(InsituError) as caught:
        await owner.assets.update_asset(did, {"type": "algorithm"})
    assert (caught.value.code, caught.value.pointer) == ("VersionNotAllowed", "/service/0/attributes/main/type")
    with pytest.raises(InsituError, match="InvalidDocument"):
        await owner.assets.update_asset(did, {"additionalInformation": {}, "encryptedFiles": "insitu2.1.x"})


async def test_files_are_replaced_as_a_whole_and_sealed_again(provider: Market) -> None:
    owner, did = await data_of(provider)
    files = [provider.data_file(name) for name in ("a.csv", "b.csv")]
    await owner.assets.update_asset(did, files=files)
    ddo = await owner.assets.resolve(did)
    assert [file["index"] for file in ddo.main["files"]] == [0, 1]
    assert "a.csv" not in str(ddo.main["files"])
    desk = provider.world.desk
    listed = await desk.list_reader.open(await desk.ports.resolver.resolve(did))
    assert [file.url for file in listed.files] == [file.as_uri() for file in files]
    newest = (await owner.assets.versions(did))[0]
    assert "metadata the list of files is sealed again" in newest.changes


async def test_an_algorithm_gets_other_code_under_its_did(provider: Market, tmp_path: Path) -> None:
    author, _ = await provider.client("owner")
    script = tmp_path / "count.py"
    script.write_text("print(1)\n")
    first = await author.assets.publish_algorithm("Count", [script])
    named = script.read_bytes()
    assert (await author.assets.publish_algorithm("Count", {"count.py": named})).did == first.did
    script.write_text("print(2)\n")
    second = await author.assets.update_asset(first.did, files=[script])
    assert second.did == first.did
    assert second.ddo.main["files"][0]["checksum"] != first.ddo.main["files"][0]["checksum"]
    desk = provider.world.desk
    listed = await desk.list_reader.open(await desk.ports.resolver.resolve(first.did))
    assert listed.files[0].sha256 == second.ddo.main["files"][0]["checksum"]
    # The earlier code is another asset by now, and the same one each time.
    assert not isinstance(await author.assets.read_algorithm("Count", {"count.py": named}), str)
    again = [await author.assets.publish_algorithm("Count", {"count.py": named}) for _ in range(2)]
    assert again[0].did == again[1].did != first.did
    assert again[0].ddo.main["files"][0]["checksum"] == first.ddo.main["files"][0]["checksum"]


async def test_versions_are_listed_with_who_registered_them_and_what_they_changed(provider: Market) -> None:
    owner, did = await data_of(provider)
    buyer, _ = await provider.client("second-owner")
    await owner.assets.update_asset(did, {"license": "CC0"})
    await owner.assets.transfer(did, buyer.account)
    await buyer.assets.update_asset(did, {"author": "B"})
    found = await buyer.assets.versions(did)
    assert [(version.number, version.registrant) for version in found] == [
        (3, buyer.account),
        (2, owner.account),
        (1, owner.account),
    ]
    assert found[2].changes == ()
    assert [text.partition(":")[0] for version in found[:2] for text in version.changes] == [
        "metadata author",
        "metadata license",
    ]
    assert all(version.ddo is not None for version in found)


async def test_a_version_whose_document_is_gone_is_still_listed(
    provider: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, did = await data_of(provider)
    first = await owner.assets.resolve(did)
    await owner.assets.update_asset(did, {"license": "CC0"})
    reader, _ = await provider.client("stranger")
    read = reader.metadata.read

    async def forgetful(url: str, checksum: str | None = None) -> Any:
        document = await read(url, checksum)
        if document == first.to_json():
            raise InsituError("AssetNotFound", "gone")
        return document

    monkeypatch.setattr(reader.metadata, "read", forgetful)
    found = await reader.assets.versions(did)
    assert [(version.number, version.ddo is None, version.changes) for version in found] == [
        (2, False, ()),
        (1, True, ()),
    ]


async def test_a_workflow_pins_the_current_version_of_its_algorithm_or_a_named_one(provider: Market) -> None:
    owner, data = await data_of(provider)
    algorithm = await owner.assets.publish_algorithm("Count", {"count.py": "print(1)"})
    newer = await owner.assets.update_asset(algorithm.did, {"license": "CC0"})
    for named, pinned in (
        (algorithm.did, newer.checksum),
        (f"{algorithm.did}@{algorithm.checksum}", algorithm.checksum),
    ):
        described = await owner.assets.describe_workflow([Stage(algorithm=named, inputs=[data])])
        assert described["stages"][0]["transformation"] == {"id": algorithm.did, "checksum": pinned}
    with pytest.raises(InsituError, match="ChecksumMismatch"):
        await owner.assets.describe_workflow([Stage(algorithm=f"{algorithm.did}@{'ab' * 32}", inputs=[data])])


def test_long_values_are_cut_and_prices_are_shown_as_the_caller_says() -> None:
    def document(**main: Any) -> Any:
        return read_ddo({"service": [{"index": 0, "type": "metadata", "attributes": {"main": main}}]})

    [name, price] = describe_changes(
        document(name="a", price="1"), document(name="b" * 200, price="2"), "{} tokens".format
    )
    assert name == f"metadata name: a → {'b' * 79}…"
    assert price == "metadata price: 1 tokens → 2 tokens"
