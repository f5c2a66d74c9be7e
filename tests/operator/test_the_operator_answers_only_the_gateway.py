"""The operator's HTTP surface: every address, every refusal, as problem documents (E3, E4)."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest

from insitu.api.app import build_app
from insitu.domain.execution import Execution, Phase, StepKey, StepKind
from insitu.operator.routes import router
from tests.doubles.plans import AGREEMENT, plan_of
from tests.doubles.recording_gateway import TICKET
from tests.doubles.registrations import registration_of
from tests.doubles.scripted_operator import ScriptedOperator
from tests.doubles.scripted_runtime import Ending

Start = Callable[..., AbstractAsyncContextManager[ScriptedOperator]]
KEY = "a-service-key-of-a-test"
BASE = "/api/v1/operator"
HELD = {"0-compute-1": Ending(log=(b"hello\n", b"world\n"), held=True)}
OTHER = "0b" * 32


@asynccontextmanager
async def client_of(operator: ScriptedOperator, key: str | None = KEY) -> AsyncIterator[httpx.AsyncClient]:
    app = build_app("operator", "0", [router(operator.service, KEY)], max_body_bytes=1_000_000)
    headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://operator", headers=headers) as client:
        yield client


def body() -> dict[str, object]:
    return registration_of(plan_of()).model_dump(mode="json", by_alias=True)


async def registered(client: httpx.AsyncClient) -> Execution:
    answer = await client.post(BASE + "/workflows", json=body())
    assert answer.status_code == 201, answer.text
    return Execution.model_validate(answer.json()["execution"])


async def test_an_execution_is_registered_seen_listed_and_stopped(start: Start) -> None:
    async with start(HELD) as operator, client_of(operator) as client:
        execution = await registered(client)
        one = f"{BASE}/workflows/{AGREEMENT}/{execution.execution_id}"
        assert (await registered(client)).execution_id == execution.execution_id
        await operator.until(execution.execution_id, Phase.EXECUTING)
        seen = (await client.get(one)).json()
        assert (seen["execution"]["phase"], seen["position"]) == ("Executing", 0)
        assert TICKET not in (await client.get(one)).text
        for query, count in (("", 1), (f"?serviceAgreementId={AGREEMENT}", 1), (f"?serviceAgreementId={OTHER}", 0)):
            assert len((await client.get(BASE + "/workflows" + query)).json()["executions"]) == count
        stopped = await client.request("DELETE", one, json={"by": "owner"})
        assert stopped.status_code == 202
        assert stopped.json()["execution"]["stop"]["by"] == "owner"
        final = await operator.until(execution.execution_id)
        assert final.phase is Phase.STOPPED


async def test_logs_are_listed_and_streamed_from_any_offset(start: Start) -> None:
    async with start(HELD) as operator, client_of(operator) as client:
        execution = await registered(client)
        one = f"{BASE}/workflows/{AGREEMENT}/{execution.execution_id}/logs"
        operator.runtime.release(execution.execution_id, StepKey(StepKind.COMPUTE, 0, 1))
        whole = await client.get(one + "/0/1?follow=true")
        assert whole.content == b"hello\nworld\n"
        assert whole.headers["Insitu-Log-Offset"] == "0"
        part = await client.get(one + "/0/1?offset=6")
        assert (part.content, part.headers["Insitu-Log-Offset"]) == (b"world\n", "6")
        assert (await client.get(one)).json() == {"keys": [{"stage": 0, "attempt": 1}]}
        assert (await client.get(one + "/7/1")).content == b""


async def test_the_capacity_is_shown(start: Start) -> None:
    async with start() as operator, client_of(operator) as client:
        assert (await client.get(BASE + "/capacity")).json()["cpuMillis"] == 4000


@pytest.mark.parametrize("key", [None, "", "wrong", KEY + "x", KEY[:-1], "ü"])
async def test_without_the_service_key_nothing_is_answered(start: Start, key: str | None) -> None:
    async with start() as operator, client_of(operator, None) as client:
        headers = {"Authorization": b"Bearer " + key.encode()} if key is not None else {}
        one = f"{BASE}/workflows/{AGREEMENT}/wx{'a' * 26}"
        requests = [
            client.get(BASE + "/workflows", headers=headers),
            client.post(BASE + "/workflows", json=body(), headers=headers),
            client.get(one, headers=headers),
            client.get(one + "/logs", headers=headers),
            client.get(one + "/logs/0/1", headers=headers),
            client.request("DELETE", one, json={"by": "owner"}, headers=headers),
            client.get(BASE + "/capacity", headers=headers),
        ]
        for request in requests:
            answer = await request
            assert (answer.status_code, answer.json()["code"]) == (401, "ServiceKeyRequired")
        assert await operator.service.list() == ()


def test_a_key_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="16 characters"):
        router(None, "short")  # type: ignore[arg-type]


async def test_a_pair_that_does_not_belong_together_is_not_found(start: Start) -> None:
    async with start(HELD) as operator, client_of(operator) as client:
        execution = await registered(client)
        for agreement, one in ((OTHER, execution.execution_id), (AGREEMENT, "wx" + "a" * 26)):
            address = f"{BASE}/workflows/{agreement}/{one}"
            requests = [
                client.get(address),
                client.get(address + "/logs"),
                client.get(address + "/logs/0/1"),
                client.request("DELETE", address, json={"by": "owner"}),
            ]
            for request in requests:
                answer = await request
                assert (answer.status_code, answer.json()["code"]) == (404, "ExecutionUnknown")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/workflows/xyz/wx" + "a" * 26, 400),
        (f"/workflows/{AGREEMENT}/..%2F..", 404),
        (f"/workflows/{AGREEMENT}/wx", 400),
        (f"/workflows/{AGREEMENT}/wx{'a' * 26}/logs/x/1", 400),
        (f"/workflows/{AGREEMENT}/wx{'a' * 26}/logs/0/1?offset=-1", 400),
        ("/workflows?serviceAgreementId=zz", 400),
    ],
)
async def test_ids_that_are_none_are_refused(start: Start, path: str, status: int) -> None:
    async with start() as operator, client_of(operator) as client:
        answer = await client.get(BASE + path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"plan": 1}', b'{"by": "me"}', b"\xff" * 100])
async def test_bodies_that_are_none_get_a_problem(start: Start, content: bytes) -> None:
    async with start() as operator, client_of(operator) as client:
        json = {"Content-Type": "application/json"}
        for method, path in (("POST", "/workflows"), ("DELETE", f"/workflows/{AGREEMENT}/wx{'a' * 26}")):
            answer = await client.request(method, BASE + path, content=content, headers=json)
            assert answer.status_code == 400
            assert answer.json()["code"] == "InvalidRequest"
