"""`register_asset` and similar calls: complete, sealed, never half visible, and again the same DID (P1–P3)."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from insitu.domain.amount import Amount
from insitu.domain.errors import InsituError
from insitu.domain.validation import validate_ddo
from insitu.sdk.client import Client
from insitu.sdk.files import entrypoint_of
from insitu.sdk.workflows import Previous, Stage
from tests.gateway.world import IMAGE, SMALL
from tests.sdk.market import Market

pytestmark = [pytest.mark.needs("chain"), pytest.mark.slow]

SCRIPT = {"count.py": "print('counting')\n"}


class KilledError(Exception):
    """The client's process ends here."""


async def publish_and_count(provider: Market, client: Client, **options: object) -> tuple[str, int]:
    """The DID of the data set and how many transactions it cost."""
    before = await client.chain.next_nonce(client.account)
    did = await provider.dataset(client, **options)
    return did, await client.chain.next_nonce(client.account) - before


async def test_one_call_publishes_a_data_set_that_stays_where_it_is(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    path = provider.data_file()
    asset = await owner.assets.publish_dataset(
        "Flights of 2013",
        [path],
        algorithms="any",
        price=Amount.from_base_units(10),
        description="departures",
        tags=["air"],
        output={"maxFiles": 3, "types": [".csv"]},
        logs="none",
        max_executions=5,
    )
    assert not asset.reused
    ddo = await owner.assets.resolve(asset.did)
    validate_ddo(ddo)
    assert str(path) not in str(ddo.to_json())
    service = ddo.compute_service()
    assert service.service_endpoint == "http://127.0.0.1:8030/api/v1/gateway/services/exec"
    assert service.template_id == owner.chain.agreements.contract
    assert service.main["provider"]["environment"]["supportedContainers"] == [IMAGE]
    assert service.main["provider"]["environment"]["supportedServers"] == [SMALL]
    policy = {
        "version": 1,
        "algorithms": "any",
        "consumers": "any",
        "logs": "none",
        "revisions": "untilSuccess",
        "parameters": [],
        "failures": "charged",
        "data": "newest",
        "maxExecutions": 5,
        "output": {"maxFiles": 3, "maxLogBytes": 65536, "types": [".csv"]},
    }
    assert service.main["policy"] == policy
    assert ddo.main["files"] == [{"index": 0, "contentType": "text/csv", "contentLength": str(path.stat().st_size)}]
    assert await owner.assets.owner(asset.did) == owner.account
    assert await owner.chain.is_provider(asset.did, provider.world.address("provider"))
    assert (await owner.assets.search("departures", tag="air")).total_results == 1


async def published_policy(provider: Market, **rules: Any) -> Any:
    owner, _ = await provider.client("owner")
    found = await owner.assets.publish_dataset("Flights", [provider.data_file()], algorithms="any", **rules)
    return (await owner.assets.resolve(found.did)).compute_service().main["policy"]


@pytest.mark.parametrize(
    ("rules", "output"),
    [
        ({}, {"maxFiles": 100, "maxLogBytes": 16 * 1024 * 1024}),
        ({"output": {"types": [".csv"]}}, {"maxFiles": 100, "maxLogBytes": 65536, "types": [".csv"]}),
        ({"output": {"maxBytes": 1000}}, {"maxFiles": 100, "maxLogBytes": 1000, "maxBytes": 1000}),
        ({"output": {"maxLogBytes": 7}}, {"maxFiles": 100, "maxLogBytes": 7}),
        ({"failures": "free"}, {"maxFiles": 100, "maxLogBytes": 16384}),
        ({"failures": "free", "output": {"maxBytes": 7}}, {"maxFiles": 100, "maxLogBytes": 7, "maxBytes": 7}),
    ],
)
async def test_a_new_document_says_how_much_may_leave(
    provider: Market, rules: dict[str, Any], output: dict[str, int]
) -> None:
    assert (await published_policy(provider, **rules))["output"] == output


@pytest.mark.parametrize(("days", "executions"), [(1, 101), (30, 130), (0.5, 101), (1.01, 102)])
async def test_a_service_that_can_be_used_for_longer_allows_more_executions(
    provider: Market, days: float, executions: int
) -> None:
    assert (await published_policy(provider, timeout=int(days * 86400)))["maxExecutions"] == executions


async def test_rules_are_published_as_their_owner_gave_them(provider: Market) -> None:
    rules = {"consumers": [provider.world.address("consumer")], "use": "Research", "revisions": "always"}
    rules |= {"parameters": ["ward"], "failures": "free", "logs": "none"}
    assert rules.items() <= (await published_policy(provider, **rules)).items()


async def test_pinned_files_are_published_with_their_digest(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    path = provider.data_file()
    asset = await owner.assets.publish_dataset("Flights", [path], algorithms="any", data="pinned")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert [file["checksum"] for file in (await owner.assets.resolve(asset.did)).main["files"]] == [digest]
    with pytest.raises(InsituError, match="SHA-256") as refused:
        await owner.assets.publish_dataset("Flights", [provider.data_file().parent], algorithms="any", data="pinned")
    assert str(refused.value.pointer).endswith("/policy/data")


async def test_free_failures_that_could_carry_a_result_out_are_not_published(provider: Market) -> None:
    with pytest.raises(InsituError, match="maxLogBytes is at most 16384"):
        await published_policy(provider, failures="free", output={"maxLogBytes": 16385})


async def test_the_same_call_again_gives_the_same_asset(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    first = await publish_and_count(provider, owner)
    again, _ = await provider.client("owner")
    assert await publish_and_count(provider, again) == (first[0], 0)
    assert (await owner.assets.search("Flights")).total_results == 1


async def test_other_files_rules_or_accounts_make_other_assets(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    other, _ = await provider.client("second-owner")
    dids = {
        await provider.dataset(owner),
        await provider.dataset(owner, price=Amount.from_base_units(11)),
        await provider.dataset(owner, algorithms=[], publishers=[other.account]),
        await provider.dataset(other),
        (
            await owner.assets.publish_dataset(
                "Flights", [provider.data_file("2.csv")], algorithms="any", price=Amount.from_base_units(10)
            )
        ).did,
    }
    assert len(dids) == 5


@pytest.mark.parametrize("lost", ["/ddo", "/encrypt", "/services", "/status"])
async def test_a_call_that_broke_off_is_finished_by_the_next_one(provider: Market, lost: str) -> None:
    """Whichever answer is lost, nothing is half visible, and the retry returns the asset that was begun."""
    owner, detour = await provider.client("owner")
    detour.failing = lambda request: request.url.path.endswith(lost)
    with pytest.raises(InsituError, match="PeerUnavailable"):
        await provider.dataset(owner)
    detour.failing = lambda request: False
    hidden = (await owner.assets.search("Flights")).total_results
    assert hidden == (1 if lost == "/status" else 0)
    again, _ = await provider.client("owner")
    did = await provider.dataset(again)
    assert (await owner.assets.search("Flights")).total_results == 1
    assert await provider.dataset(owner) == did


async def test_a_process_that_ended_before_the_registration_goes_on_with_the_same_did(provider: Market) -> None:
    owner, _ = await provider.client("owner")

    async def killed(*_: object) -> None:
        raise KilledError

    owner.gateway.relay_request = killed
    with pytest.raises(KilledError):
        await provider.dataset(owner)
    assert (await owner.assets.search()).total_results == 0
    pending = await provider.world.metadata._catalog._database.read(
        lambda connection: [row[0] for row in connection.execute("SELECT did FROM asset WHERE state = 'pending'")]
    )
    again, _ = await provider.client("owner")
    assert [await provider.dataset(again)] == pending


async def test_assets_of_one_second_that_differ_only_in_what_is_sealed_get_two_dids(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    paths = [provider.data_file(name) for name in ("a.csv", "b.csv", "c.csv")]
    published = [await owner.assets.publish_dataset("Twin", [path], algorithms="any") for path in paths]
    assert len({asset.did for asset in published}) == 3
    again = [await owner.assets.publish_dataset("Twin", [path], algorithms="any") for path in paths]
    assert [asset.did for asset in again] == [asset.did for asset in published]


async def test_a_did_that_is_taken_by_other_details_is_reported(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    main = {"name": "Fixed", "type": "dataset", "author": "", "files": [], "dateCreated": "2026-01-02T03:04:05Z"}
    main["datePublished"] = main["dateCreated"]
    first = await owner.assets.register_asset({"main": main}, without_compute=True)
    assert (await owner.assets.register_asset({"main": main}, without_compute=True)).did == first.did
    with pytest.raises(InsituError, match="DIDExists"):
        await owner.assets.register_asset(
            {"main": main, "additionalInformation": {"description": "other"}}, without_compute=True
        )


async def test_an_algorithm_is_uploaded_once_and_reused(provider: Market) -> None:
    consumer, detour = await provider.client("consumer")
    first = await consumer.assets.publish_algorithm("Count", SCRIPT)
    uploads = sum(request.url.path.endswith("/upload") for request in detour.seen)
    again = await consumer.assets.publish_algorithm("Count", SCRIPT)
    assert (uploads, sum(request.url.path.endswith("/upload") for request in detour.seen)) == (1, 1)
    assert again == replace(first, transaction=None, ddo=again.ddo)
    main = (await consumer.assets.resolve(first.did)).main
    assert main["algorithm"]["entrypoint"] == "python3 count.py"
    assert len(main["files"][0]["checksum"]) == 64
    changed = await consumer.assets.publish_algorithm("Count", {"count.py": "print('other')\n"})
    assert changed.did != first.did


async def test_a_folder_of_files_is_an_algorithm(provider: Market, tmp_path: Path) -> None:
    folder = tmp_path / "algorithm"
    (folder / "lib").mkdir(parents=True)
    (folder / "compute-entrypoint.sh").write_text('exec python3 lib/main.py "$@"\n')
    (folder / "lib" / "main.py").write_text("print(1)\n")
    consumer, _ = await provider.client("consumer")
    asset = await consumer.assets.publish_algorithm("Folder", folder)
    assert len((await consumer.assets.resolve(asset.did)).main["files"]) == 2
    with pytest.raises(InsituError, match="EntrypointMissing"):
        await consumer.assets.publish_algorithm("Two", {"a.py": "", "b.py": ""})


@pytest.mark.parametrize(
    ("name", "start"),
    [("Count.java", "java Count.java"), ("count.JAR", "java -jar count.JAR"), ("count.py", "python3 count.py")],
)
def test_an_algorithm_of_one_file_starts_by_itself(name: str, start: str) -> None:
    assert entrypoint_of([name]) == start


async def test_a_workflow_takes_the_container_that_all_its_data_sets_support(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    consumer, _ = await provider.client("consumer")
    one, two = await provider.dataset(owner), await provider.dataset(owner, "Weather")
    algorithm = await consumer.assets.publish_algorithm("Count", SCRIPT)
    stages = [
        Stage(algorithm=algorithm.did, inputs=[one, two], stage_type="Filtering", configuration={"rows": 10}),
        Stage(algorithm=algorithm.did, inputs=[Previous(0)], memory="512mib", output={"name": "Delays"}),
    ]
    workflow = await consumer.assets.publish_workflow("Two stages", stages)
    described = (await consumer.assets.resolve(workflow.did)).main["workflow"]["stages"]
    assert [stage["requirements"]["container"] for stage in described] == [IMAGE, IMAGE]
    assert described[0]["input"] == [{"index": 0, "id": one}, {"index": 1, "id": two}]
    assert described[1]["input"] == [{"index": 0, "previousStage": 0}]
    assert (await consumer.assets.publish_workflow("Two stages", stages)).reused

    other = await provider.dataset(owner, "Elsewhere", containers=[{**IMAGE, "checksum": "sha256:" + "00" * 32}])
    with pytest.raises(InsituError, match="ImageNotAllowed"):
        await consumer.assets.publish_workflow("Mixed", [Stage(algorithm=algorithm.did, inputs=[one, other])])


async def test_an_asset_is_updated_transferred_and_retired_by_its_owner_only(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    buyer, _ = await provider.client("second-owner")
    did = await provider.dataset(owner)
    document = await owner.assets.resolve(did)
    services = [service.to_json() for service in document.service]
    services[0]["attributes"]["additionalInformation"] = {"description": "corrected"}

    updated = await owner.assets.update_asset(did, {}, services)
    assert (await owner.assets.update_asset(did, {}, services)).reused
    assert (await owner.assets.resolve(did)).to_json() == updated.ddo.to_json()
    first = (await owner.chain.did_record(did)).version
    assert first == 2
    assert (await owner.assets.search("corrected")).total_results == 1

    with pytest.raises(InsituError, match="NotOwner"):
        await buyer.assets.retire(did)
    await owner.assets.transfer(did, buyer.account)
    with pytest.raises(InsituError, match="NotOwner"):
        await owner.assets.retire(did)
    assert (await buyer.assets.retire(did)).state == "retired"
    assert (await owner.assets.search("corrected")).total_results == 0
    assert await provider.dataset(owner) != did, "an asset that was handed over is not found as one's own"


async def test_mistakes_are_reported_before_anything_is_published(provider: Market) -> None:
    owner, detour = await provider.client("owner")
    with pytest.raises(InsituError) as refused:
        await owner.assets.publish_dataset("", [provider.data_file()], algorithms="any", timeout=0, price=1)
    assert {problem.pointer for problem in refused.value.problems} >= {
        "/service/0/attributes/main/name",
        "/service/1/attributes/main/timeout",
    }
    with pytest.raises(InsituError, match="NoComputeService"):
        await owner.assets.register_asset({"name": "Mute", "type": "dataset", "author": "", "files": []})
    assert not [request for request in detour.seen if request.url.path.endswith("/ddo")]
    mute = {"name": "Mute", "type": "dataset", "author": "", "files": []}
    assert (await owner.assets.register_asset(mute, without_compute=True)).did


async def test_the_sealed_list_of_one_document_is_not_published_in_another(provider: Market) -> None:
    owner, detour = await provider.client("owner")
    document = (await owner.assets.resolve(await provider.dataset(owner))).to_json()
    detour.seen.clear()
    with pytest.raises(InsituError, match="InvalidDocument") as refused:
        await owner.assets.register_asset(document["service"][0]["attributes"], without_compute=True)
    assert refused.value.pointer == "/encryptedFiles"
    assert detour.seen == []


async def test_files_outside_of_the_provider_s_data_folders_cannot_be_named(provider: Market) -> None:
    stranger, _ = await provider.client("stranger")
    with pytest.raises(InsituError, match="CreatorNotAllowed"):
        await stranger.assets.publish_dataset("Passwords", ["file:///etc/passwd"], algorithms="any", price=0)


async def test_a_guessed_publication_key_is_refused_without_its_creators_token(provider: Market) -> None:
    owner, detour = await provider.client("owner")
    did = await provider.dataset(owner)
    asked = [request.url.path for request in detour.seen if "/publications/" in request.url.path]
    key = asked[0].rpartition("/")[2]
    assert len(key) == 64
    found = await owner.gateway.publication(key)
    assert found is not None
    assert found.did == did
    stranger, _ = await provider.client("stranger")
    assert await stranger.gateway.publication(key) is None
    answer = await provider.world.http.get(f"/api/v1/gateway/services/publications/{key}")
    assert (answer.status_code, answer.json()["code"]) == (401, "InvalidToken")


async def test_a_description_is_never_sent_where_its_key_is_looked_up(provider: Market) -> None:
    owner, detour = await provider.client("owner")
    await provider.dataset(owner, "A very secret name")
    lookups = [request for request in detour.seen if "/publications/" in request.url.path]
    assert lookups
    assert all(b"secret" not in bytes(str(request.url), "utf-8") + request.content for request in lookups)
