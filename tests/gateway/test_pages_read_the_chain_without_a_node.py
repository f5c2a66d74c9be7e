"""The gateway passes JSON-RPC calls on to its node for pages: those that read our contracts, and nothing else."""

from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from insitu.adapters.chain.bindings import nevermined_token
from insitu.adapters.chain.contracts import invoke
from insitu.api.gateway_v1 import BASE, RPC
from insitu.domain.chain_reads import MAX_BLOCKS, READ_METHODS, parameters_for_node
from insitu.domain.errors import InsituError
from insitu.gateway.reading import chain_reader
from tests.gateway.world import World, client

pytestmark = pytest.mark.needs("chain")

ANY = "0x" + "11" * 20
HASH = "0x" + "22" * 32


async def send(provider: World, method: Any, *params: Any, **members: Any) -> httpx.Response:
    body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params} | members
    return await provider.http.post(RPC, json=body)


async def result(provider: World, method: str, *params: Any) -> Any:
    answer = await send(provider, method, *params)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"jsonrpc", "id", "result"}
    assert answer.json()["id"] == 7
    return answer.json()["result"]


def refused(answer: httpx.Response, code: str) -> str:
    assert answer.json().get("code") == code, answer.text
    assert answer.json()["nextStep"]
    return str(answer.json()["detail"])


async def test_a_page_reads_balances_blocks_and_contracts(provider: World) -> None:
    token, owner = provider.chain.contract("NeverminedToken"), provider.address("owner")
    assert int(await result(provider, "eth_chainId"), 16) == 31337
    newest = await result(provider, "eth_blockNumber")
    assert (await result(provider, "eth_getBlockByNumber", newest, False))["number"] == newest
    assert int(await result(provider, "eth_getBalance", owner, "latest"), 16) == await provider.chain.native_balance(
        owner
    )
    data = "0x" + nevermined_token.balance_of(owner).data.hex()
    balance = await result(provider, "eth_call", {"to": token, "data": data}, "latest")
    assert int(balance, 16) == await provider.chain.balance(owner)


async def test_a_page_finds_events_and_receipts_of_our_contracts(provider: World) -> None:
    newest = int(await result(provider, "eth_blockNumber"), 16)
    registry = provider.chain.contract("DIDRegistry")
    await provider.publish_dataset()
    logs = await result(provider, "eth_getLogs", {"address": [registry], "fromBlock": hex(newest)})
    assert {log["address"].lower() for log in logs} == {registry.lower()}
    receipt = await result(provider, "eth_getTransactionReceipt", logs[0]["transactionHash"])
    assert receipt["status"] == "0x1"
    assert await result(provider, "eth_getTransactionReceipt", HASH) is None, "a result that is null is a result"
    topics = [logs[0]["topics"][0], None, [HASH]]
    assert (
        await result(provider, "eth_getLogs", {"address": registry, "fromBlock": hex(newest), "topics": topics}) == []
    )


async def test_what_a_contract_refuses_is_an_answer_with_its_data(provider: World) -> None:
    token, owner = provider.chain.contract("NeverminedToken"), provider.address("owner")
    data = "0x" + invoke("NeverminedToken", "transfer", owner, 10**30).data.hex()
    answer = (await send(provider, "eth_call", {"to": token, "data": data, "from": ANY}, "latest")).json()
    assert set(answer) == {"jsonrpc", "id", "error"}
    assert answer["error"]["code"] == 3
    assert answer["error"]["data"].startswith("0xe450d38c"), "ERC20InsufficientBalance"


@pytest.mark.parametrize(
    "method",
    [
        "eth_sendRawTransaction",
        "eth_sendTransaction",
        "eth_accounts",
        "eth_newFilter",
        "eth_getProof",
        "eth_createAccessList",
        "debug_traceCall",
        "trace_block",
        "txpool_content",
        "admin_peers",
        "personal_unlockAccount",
        "anvil_setBalance",
        "evm_mine",
        "web3_clientVersion",
        "ETH_CALL",
        "eth_call ",
        "",
    ],
)
async def test_other_methods_never_reach_the_node(provider: World, method: str, monkeypatch: Any) -> None:
    async def never(*_: object) -> None:
        raise AssertionError("the node was asked")

    monkeypatch.setattr(type(provider.chain), "read", never)
    assert "eth_call" in refused(await send(provider, method), "ReadNotAllowed")


@pytest.mark.parametrize("name", ["to", "address", "addresses"])
async def test_other_contracts_are_neither_called_nor_searched(provider: World, name: str) -> None:
    ours = provider.chain.contract("DIDRegistry")
    found = {
        "to": ("eth_call", {"to": ANY, "data": "0x"}, "latest"),
        "address": ("eth_getLogs", {"address": ANY, "fromBlock": "0x0"}),
        "addresses": ("eth_getLogs", {"address": [ours, ANY], "fromBlock": "0x0"}),
    }[name]
    assert ANY in refused(await send(provider, *found), "ReadNotAllowed")


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("0x0", hex(MAX_BLOCKS)),
        ("0x0", "0xffffffffffff"),
        ("0x1", hex(MAX_BLOCKS + 1)),
    ],
)
async def test_a_search_of_a_huge_range_is_refused(provider: World, begin: str, end: str) -> None:
    wanted = {"address": provider.chain.contract("DIDRegistry"), "fromBlock": begin, "toBlock": end}
    assert "piece by piece" in refused(await send(provider, "eth_getLogs", wanted), "InvalidRequest")
    await result(provider, "eth_getLogs", wanted | {"toBlock": hex(MAX_BLOCKS - 1)})


@pytest.mark.parametrize("end", ["latest", "pending", "safe", "finalized", "earliest"])
def test_a_range_with_an_open_end_is_measured_to_the_newest_block(end: str) -> None:
    wanted = {"address": ANY, "fromBlock": "0x1", "toBlock": end}
    assert parameters_for_node("eth_getLogs", [wanted], [ANY], MAX_BLOCKS)
    with pytest.raises(InsituError, match="InvalidRequest"):
        parameters_for_node("eth_getLogs", [wanted], [ANY], MAX_BLOCKS + 1)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("eth_call", [{"to": ANY, "data": "0x"}]),
        ("eth_call", [{"to": ANY, "data": "0x"}, "latest", {ANY: {"code": "0x00"}}]),
        ("eth_call", [{"to": ANY, "data": "0x", "gas": "0xffffffffffffffff"}, "latest"]),
        ("eth_call", [{"to": ANY, "data": "0x", "value": "0x1"}, "latest"]),
        ("eth_call", [{"to": ANY, "data": "0x123"}, "latest"]),
        ("eth_call", [{"to": ANY, "data": "0x" + "00" * 20_000}, "latest"]),
        ("eth_call", [{"to": None, "data": "0x6000"}, "latest"]),
        ("eth_call", [{"data": "0x6000"}, "latest"]),
        ("eth_call", [{"to": ANY + "\n"}, "latest"]),
        ("eth_getLogs", [{"fromBlock": "0x0", "toBlock": "0x1"}]),
        ("eth_getLogs", [{"address": [], "fromBlock": "0x0"}]),
        ("eth_getLogs", [{"address": [ANY] * 17, "fromBlock": "0x0"}]),
        ("eth_getLogs", [{"address": ANY, "toBlock": "latest"}]),
        ("eth_getLogs", [{"address": ANY, "fromBlock": "earliest"}]),
        ("eth_getLogs", [{"address": ANY, "blockHash": HASH}]),
        ("eth_getLogs", [{"address": ANY, "fromBlock": "0x0", "topics": [[HASH] * 17]}]),
        ("eth_getLogs", [{"address": ANY, "fromBlock": "0x0", "topics": [None] * 5}]),
        ("eth_getBlockByNumber", ["latest", True]),
        ("eth_getBalance", [ANY, "0x" + "f" * 40]),
        ("eth_getBalance", [ANY]),
        ("eth_getTransactionReceipt", ["0x12"]),
        ("eth_chainId", [1]),
    ],
)
def test_parameters_of_another_form_are_refused(method: str, params: list[Any]) -> None:
    with pytest.raises(InsituError, match="InvalidRequest"):
        parameters_for_node(method, params, [ANY], 0)


def test_only_what_was_parsed_is_written_for_the_node() -> None:
    call = {"to": ANY, "data": "0x12", "from": ANY}
    assert parameters_for_node("eth_call", [call, "latest"], [ANY], 0) == [call | {"gas": "0x989680"}, "latest"]
    wanted = {"address": ANY, "fromBlock": "0x0", "topics": [None, [HASH]]}
    assert parameters_for_node("eth_getLogs", [wanted], [ANY.upper().replace("X", "x")], 9) == [
        wanted | {"toBlock": "latest"}
    ]
    assert {method for method in READ_METHODS if not method.startswith("eth_")} == set()


async def test_batches_and_other_bodies_are_refused(provider: World) -> None:
    one = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    deep = '{"jsonrpc":"2.0","id":1,"method":"eth_call","params":' + "[" * 5000 + "]" * 5000 + "}"
    bodies: list[Any] = [[one], [one] * 1000, one | {"jsonrpc": "1.0"}, one | {"more": 1}, one | {"params": {"a": 1}}]
    bodies += [one | {"method": 7}, one | {"id": {}}, one | {"params": [1] * 5}, {}, None]
    for body in bodies:
        refused(await provider.http.post(RPC, json=body), "InvalidRequest")
    for text in (deep, "[" * 100_000, '{"id": 1, "id": 2}'):
        assert (await provider.http.post(RPC, content=text)).json()["code"] in ("InvalidRequest", "BodyTooLarge")
    large = await provider.http.post(RPC, json=one | {"params": ["x" * 70_000]})
    refused(large, "BodyTooLarge")


async def test_only_so_many_calls_wait_for_the_node_at_a_time(provider: World, monkeypatch: Any) -> None:
    running, most, free = 0, 0, anyio.Event()

    async def slow(*_: object) -> dict[str, str]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == chain_reader.AT_ONCE:
            free.set()
        await free.wait()
        await anyio.lowlevel.checkpoint()
        running -= 1
        return {"result": "0x1"}

    monkeypatch.setattr(type(provider.chain), "read", slow)
    async with anyio.create_task_group() as tasks:
        for _ in range(4 * chain_reader.AT_ONCE):
            tasks.start_soon(result, provider, "eth_chainId")
    assert most == chain_reader.AT_ONCE


async def test_who_would_wait_behind_too_many_is_told_to_come_back(provider: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(chain_reader, "MOST_WAITING", 3)
    arrived, free = anyio.Event(), anyio.Event()
    codes: list[int] = []

    async def slow(*_: object) -> dict[str, str]:
        await free.wait()
        return {"result": "0x1"}

    async def ask() -> None:
        answer = await send(provider, "eth_chainId")
        if answer.status_code == 429:
            assert refused(answer, "RequestFrequencyExceeded")
            assert int(answer.headers["Retry-After"]) > 0
        codes.append(answer.status_code)
        if len(codes) == 5:
            arrived.set()

    monkeypatch.setattr(type(provider.chain), "read", slow)
    async with anyio.create_task_group() as tasks:
        for _ in range(chain_reader.AT_ONCE + 3 + 5):
            tasks.start_soon(ask)
        with anyio.fail_after(20):
            await arrived.wait()
        assert codes == [429] * 5
        free.set()
    assert sorted(codes) == [200] * (chain_reader.AT_ONCE + 3) + [429] * 5


async def test_reading_can_be_switched_off(provider: World) -> None:
    object.__setattr__(provider.configuration, "chain_reads", False)
    assert "gateway.chain_reads" in refused(await send(provider, "eth_chainId"), "ReadNotAllowed")


async def test_one_answer_has_chain_contracts_with_abis_and_token(provider: World) -> None:
    facts = await client(provider, "stranger").chain_facts()
    info = await client(provider, "stranger").info()
    assert facts.chain_id == info.chain_id
    assert {name: contract.address for name, contract in facts.contracts.items()} == info.contracts
    assert facts.token == await provider.chain.token()
    functions = {
        name: {part["name"] for part in contract.abi if part["type"] == "function"}
        for name, contract in facts.contracts.items()
    }
    assert {"createAgreementAndLock", "getAgreement", "fulfill"} <= functions["ServiceExecutionTemplate"]
    assert "getDIDRegister" in functions["DIDRegistry"]
    assert {"decimals", "balanceOf", "permit"} <= functions["NeverminedToken"]


async def test_the_facts_are_sent_once_to_who_keeps_them(provider: World) -> None:
    first = await provider.http.get(f"{BASE}/chain")
    assert (first.status_code, first.headers["Cache-Control"]) == (200, "public, no-cache")
    again = await provider.http.get(f"{BASE}/chain", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await provider.http.head(f"{BASE}/chain")
    assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", first.headers["ETag"])
