"""The gateway's addresses as clients see them: sign-in, exec, status, streams, receipt, result, download."""

import hashlib
import json
import os
import time
from typing import Any

import anyio
import pytest

from insitu.api.gateway_v1 import BASE, CheckRequest, EncryptRequest, ExecRequest
from insitu.domain.amount import Amount
from insitu.domain.did import derive_did
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from insitu.domain.ids import Address, AgreementId, ExecutionId
from tests.doubles.scripted_runtime import Ending
from tests.gateway.world import PUBLIC_URL, RESULT, SCRIPT, World, client, json_of, published

pytestmark = pytest.mark.needs("chain")

LONG_AGO = time.time() - 40 * 24 * 3600
"""Longer than results are kept."""


async def buy(provider: World, **main: Any) -> AgreementId:
    return await provider.buy(await provider.simple_workflow(await provider.publish_dataset(**main)))


async def finished(provider: World, **main: Any) -> tuple[AgreementId, ExecutionId]:
    agreement = await buy(provider, **main)
    started = await provider.exec(agreement)
    await provider.until_events(started.workflow_execution_id, "end")
    await provider.operator.until(started.workflow_execution_id)
    return agreement, started.workflow_execution_id


async def test_the_root_says_who_this_gateway_is(provider: World) -> None:
    info = await client(provider, "stranger").info()
    assert info.provider_address == provider.address("provider")
    assert info.contracts["ServiceExecutionTemplate"] == provider.chain.agreements.contract
    assert info.chain_id == 31337
    assert "{did}" in info.metadata_url


async def test_a_consumer_goes_the_whole_way_over_http(provider: World) -> None:
    data = await provider.publish_dataset()
    workflow = await provider.simple_workflow(data)
    consumer = client(provider, "consumer")
    quote = await consumer.check(CheckRequest(consumer=consumer.account, workflow_did=workflow))
    assert (quote.allowed, quote.price.base_units, quote.did) == (True, 13, data)
    assert {receiver.purpose: receiver.amount.base_units for receiver in quote.receivers} == {
        data: 10,
        "server small": 3,
    }
    agreement = await provider.buy(workflow)
    request = ExecRequest(service_agreement_id=agreement, workflow_did=workflow)
    started = await consumer.exec(request, idempotency_key="once")
    assert await consumer.exec(request, idempotency_key="once") == started
    execution = started.workflow_execution_id
    events = [event async for event in consumer.events(agreement, execution)]
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert events[-1].type == "end"
    again = [event async for event in consumer.events(agreement, execution, after=events[2].sequence)]
    assert again == events[3:]
    view = await consumer.status(agreement, execution)
    assert (view.phase, view.charge, view.settled) == (Phase.SUCCEEDED, Amount.from_base_units(13), True)
    assert view.settlement_transaction is not None
    result = await consumer.result(agreement, execution)
    assert [file.name for file in result.files] == ["count.txt"]
    assert result.registered
    async with consumer.download(result.did, 0) as download:
        assert download.name == "count.txt"
        assert b"".join([chunk async for chunk in download.chunks]) == RESULT
    receipt = await consumer.receipt(agreement, execution)
    assert receipt.settlement is not None
    assert receipt.settlement.settlement.charge == 13
    assert receipt.settled
    assert [listed.workflow_execution_id for listed in (await consumer.executions()).executions] == [execution]
    assert [listed.workflow_execution_id for listed in (await consumer.executions(agreement)).executions] == [execution]


@pytest.mark.parametrize("alias", ["/exec", "/execute", "/compute/exec"])
async def test_every_name_of_exec_does_the_same(provider: World, alias: str) -> None:
    agreement = await buy(provider)
    consumer = client(provider, "consumer")
    request = ExecRequest(service_agreement_id="0x" + agreement.upper())
    started = await consumer.exec(request, idempotency_key="k", endpoint=PUBLIC_URL + BASE + alias)
    assert started.workflow_id == started.workflow_execution_id
    await provider.until_events(started.workflow_execution_id, "end")


async def test_logs_come_live_and_resume_by_offset(provider: World) -> None:
    lines = tuple(f"línea {number}\n".encode() for number in range(3))
    provider.operator.runtime.script["0-compute-1"] = Ending(log=(lines[0][:2], lines[0][2:], *lines[1:]))
    agreement, execution = await finished(provider)
    consumer = client(provider, "consumer")
    pieces = [piece async for piece in consumer.logs(agreement, execution)]
    assert "".join(piece.text for piece in pieces) == "línea 0\nlínea 1\nlínea 2\n"
    assert {(piece.stage, piece.attempt) for piece in pieces} == {(0, 1)}
    after = f"0:1:{len(lines[0])}"
    rest = [piece async for piece in consumer.logs(agreement, execution, after=after)]
    assert "".join(piece.text for piece in rest) == "línea 1\nlínea 2\n"
    assert rest[0].offset == len(lines[0])


async def test_an_algorithms_log_cannot_control_a_terminal(provider: World) -> None:
    provider.operator.runtime.script["0-compute-1"] = Ending(log=(b"\x1b[2Jhello\n",))
    agreement, execution = await finished(provider)
    headers = {**await client(provider, "consumer")._tokens.headers(), "Accept": "text/plain"}
    response = await provider.http.get(f"{BASE}/compute/logs/{agreement}/{execution}", headers=headers)
    assert response.text == "\\x1b[2Jhello\n"


def kept(provider: World) -> set[str]:
    """Return the blobs that the gateway has."""
    return {path.name for path in (provider.folder / "blobs").glob("??/*")}


async def test_a_consumer_is_told_how_much_of_the_output_was_left_out(provider: World) -> None:
    provider.operator.runtime.script.update(await provider.output({"part-0.csv": b"a\n"}, leftOut=3))
    status = await client(provider, "consumer").status(*await finished(provider))
    assert status.result_did is not None
    assert status.left_out == 3


async def forgotten(provider: World, execution: ExecutionId) -> None:
    """Let the operator delete an ended execution, as it does after its retention."""
    await provider.operator.until(execution)
    await provider.operator.logs.remove(execution)
    await provider.operator.executions.remove(execution)


async def test_logs_that_the_operator_has_deleted_are_reported_and_the_rest_stays(provider: World) -> None:
    agreement, execution = await finished(provider)
    consumer = client(provider, "consumer")
    before, receipt = await consumer.status(agreement, execution), await consumer.receipt(agreement, execution)
    await forgotten(provider, execution)
    with pytest.raises(InsituError, match="LogExpired"):
        [piece async for piece in consumer.logs(agreement, execution)]
    headers = {**await consumer._tokens.headers(), "Accept": "text/plain"}
    response = await provider.http.get(f"{BASE}/compute/logs/{agreement}/{execution}", headers=headers)
    assert response.status_code == 410
    assert await consumer.status(agreement, execution) == before
    assert await consumer.receipt(agreement, execution) == receipt
    assert (await consumer.result(agreement, execution)).did == before.result_did


async def test_an_execution_whose_algorithm_never_ran_keeps_an_empty_log(provider: World) -> None:
    provider.operator.runtime.script["0-configure-1"] = Ending(code="InputChanged")
    agreement, execution = await finished(provider)
    await forgotten(provider, execution)
    assert [piece async for piece in client(provider, "consumer").logs(agreement, execution)] == []


async def test_if_logs_may_not_leave_the_consumer_only_gets_codes_and_times(provider: World) -> None:
    provider.operator.runtime.script["0-compute-1"] = Ending(code="AlgorithmFailed", log=(b"secret of the data\n",))
    agreement, execution = await finished(provider, policy={"algorithms": "any", "logs": "none"})
    consumer = client(provider, "consumer")
    view = await consumer.status(agreement, execution)
    assert view.reason is not None
    assert view.reason.code == "AlgorithmFailed"
    told = [
        *(event.data for event in [received async for received in consumer.events(agreement, execution)]),
        view.model_dump(),
    ]
    assert "so says the script" not in json.dumps(told, default=str)
    assert view.stages[0].exit_code is None
    assert view.stages[0].ended_at is not None
    with pytest.raises(InsituError, match="LogsHidden"):
        [piece async for piece in consumer.logs(agreement, execution)]
    own = await client(provider, "provider").status(agreement, execution)
    assert own.reason is not None
    assert "so says the script" in own.reason.message


@pytest.mark.slow
async def test_an_owner_lists_and_stops_executions_on_its_data_and_reads_their_receipts(provider: World) -> None:
    agreement = await buy(provider)
    provider.operator.runtime.script["0-compute-1"] = Ending(held=True)
    started = await provider.exec(agreement)
    await provider.operator.until(started.workflow_execution_id, Phase.EXECUTING)
    owner, other = client(provider, "owner"), client(provider, "second-owner")
    assert [listed.workflow_execution_id for listed in (await owner.executions()).executions] == [
        started.workflow_execution_id
    ]
    assert (await other.executions()).executions == ()
    await owner.stop(agreement, started.workflow_execution_id)
    await provider.until_events(started.workflow_execution_id, "end")
    assert (await owner.receipt(agreement, started.workflow_execution_id)).receipt_hash.startswith("0x")
    for call in (owner.result, other.status, other.receipt):
        with pytest.raises(InsituError, match="NotConsumer"):
            await call(agreement, started.workflow_execution_id)


async def test_ids_that_do_not_belong_together_are_not_found(provider: World) -> None:
    agreement, execution = await finished(provider)
    consumer = client(provider, "consumer")
    with pytest.raises(InsituError, match="ExecutionUnknown"):
        await consumer.status(AgreementId("ab" * 32), execution)
    with pytest.raises(InsituError, match="ExecutionUnknown"):
        await consumer.status(agreement, ExecutionId("wx" + "a" * 26))


def sealing(account: Address, files: Any) -> EncryptRequest:
    """The request of an account that will create a DID without services."""
    return EncryptRequest(did=str(derive_did({}, account)), checksum={}, files=files)


async def test_a_list_is_sealed_by_the_creator_of_its_did(provider: World) -> None:
    owner = client(provider, "owner")
    path = provider.folder / "data" / "a.csv"
    files: Any = ({"url": path.as_uri(), "name": "a.csv", "contentType": "text/csv", "contentLength": "3"},)
    request = sealing(owner.account, files)
    sealed = await owner.encrypt(request)
    assert sealed.files == ({"index": 0, "contentType": "text/csv", "contentLength": "3"},)
    assert path.name not in json.dumps(sealed.model_dump(mode="json"))
    sealer, opened = provider.desk.encrypter.open(sealed.encrypted_files, request.did, owner.account)
    assert (sealer, opened[0].url) == (owner.account, path.as_uri())
    with pytest.raises(InsituError, match="NotOwner"):
        await client(provider, "stranger").encrypt(request)


async def test_an_upload_can_only_be_named_by_its_uploader(provider: World) -> None:
    consumer, stranger = client(provider, "consumer"), client(provider, "stranger")
    uploaded = await consumer.upload(SCRIPT)
    assert uploaded.sha256 == hashlib.sha256(SCRIPT).hexdigest()
    files: Any = ({"url": uploaded.url, "name": "count.py", "contentType": "text/x-python"},)
    sealed = await consumer.encrypt(sealing(consumer.account, files))
    assert sealed.files[0]["checksum"] == uploaded.sha256
    assert sealed.files[0]["contentLength"] == str(len(SCRIPT))
    with pytest.raises(InsituError, match="NotFound"):
        await stranger.encrypt(sealing(stranger.account, files))
    with pytest.raises(InsituError, match="InvalidDocument"):
        await consumer.encrypt(sealing(consumer.account, ({**files[0], "checksum": "ab" * 32},)))
    blob: Any = ({"url": f"blob:{uploaded.sha256}", "contentType": "text/plain"},)
    with pytest.raises(InsituError, match=r"InvalidDocument: blob: .* upload the file"):
        await stranger.encrypt(sealing(stranger.account, blob))


async def test_files_go_to_the_on_chain_owner_and_mounted_data_to_nobody(provider: World) -> None:
    agreement, execution = await finished(provider)
    result = await client(provider, "consumer").result(agreement, execution)
    with pytest.raises(InsituError, match="DownloadNotAllowed"):
        async with client(provider, "provider").download(result.did, 0):
            pass
    data = (await provider.execution(execution)).plan.did
    with pytest.raises(InsituError, match="FileNotDownloadable"):
        async with client(provider, "owner").download(data, 0):
            pass
    with pytest.raises(InsituError, match="NotFound"):
        async with client(provider, "consumer").download(result.did, 7):
            pass


async def test_a_result_expires_after_its_time(provider: World) -> None:
    object.__setattr__(provider.configuration, "result_retention", 0)
    agreement, execution = await finished(provider)
    consumer = client(provider, "consumer")
    frozen = (await provider.execution(execution)).frozen
    assert frozen is not None
    assert frozen.result is not None
    await provider.gateway.sweeper.remove_results()
    with pytest.raises(InsituError, match="ResultExpired"):
        await consumer.result(agreement, execution)
    with pytest.raises(InsituError, match="ResultExpired"):
        async with consumer.download(frozen.result.did, 0):
            pass


async def test_a_blob_that_nothing_names_is_deleted_once_it_is_as_old_as_results_may_become(provider: World) -> None:
    agreement, execution = await finished(provider)
    consumer = client(provider, "consumer")
    uploaded = (await consumer.upload(b"uploaded by the consumer")).sha256
    # Delivered by executions that then failed, one of them long ago.
    await published(provider.blobs, {"a.txt": b"then", "b.txt": b"now"})
    then, now = hashlib.sha256(b"then").hexdigest(), hashlib.sha256(b"now").hexdigest()
    assert {uploaded, then, now} <= kept(provider)
    for sha256 in kept(provider) - {now}:
        os.utime(provider.blobs._path(sha256), (LONG_AGO, LONG_AGO))
    await provider.gateway.sweeper.remove_strays()
    assert {uploaded, now} <= kept(provider)
    assert then not in kept(provider)
    did = (await consumer.result(agreement, execution)).did
    async with consumer.download(did, 0) as download:
        assert b"".join([chunk async for chunk in download.chunks]) == RESULT


async def test_a_stream_ends_when_its_token_does(provider: World) -> None:
    object.__setattr__(provider.configuration, "token_lifetime", 3)
    agreement = await buy(provider)
    provider.operator.runtime.script["0-compute-1"] = Ending(held=True)
    started = await provider.exec(agreement)
    headers = await client(provider, "consumer")._tokens.headers()
    address = f"{BASE}/compute/events/{agreement}/{started.workflow_execution_id}"
    with anyio.fail_after(10):
        response = await provider.http.get(address, headers=headers)
    assert response.text.rstrip().endswith("event: token-expired\ndata: {}")
    assert json_of(await provider.http.get(address, headers=headers))["code"] == "TokenExpired"


async def test_a_stop_before_the_operator_has_an_execution_ends_it(provider: World) -> None:
    async def silent(*_: object) -> None:
        raise InsituError("PeerUnavailable", "nobody there")

    agreement = await buy(provider)
    provider.operator.service.register = silent  # type: ignore[assignment, method-assign]
    started = await provider.exec(agreement)
    view = await client(provider, "consumer").stop(agreement, started.workflow_execution_id)
    assert view.phase is Phase.STOPPED
