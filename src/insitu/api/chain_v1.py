"""What a page without a wallet's node asks the gateway about the chain: facts, and calls that only read."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from insitu.domain.ids import Address
from insitu.domain.wire import WireModel, WireRequest
from insitu.ports.chain import TokenInfo


class ContractFacts(WireModel):
    """A contract of this gateway, and its ABI as Ethereum libraries read it."""

    address: Address
    abi: Sequence[Mapping[str, JsonValue]]


class ChainFacts(WireModel):
    """Answer of ``GET chain``: what a page needs to read and sign for the contracts. Needs no token."""

    chain_id: int
    contracts: dict[str, ContractFacts]
    token: TokenInfo
    """An amount of 10^decimals base units is one token."""


class RpcRequest(WireRequest):
    """``POST rpc``: one JSON-RPC 2.0 request that only reads the chain; no batch. Needs no token."""

    jsonrpc: Literal["2.0"]
    id: int | Annotated[str, Field(max_length=100)]
    method: Annotated[str, Field(max_length=100)]
    params: Annotated[tuple[JsonValue, ...], Field(max_length=4)] = ()


class RpcAnswer(WireModel):
    """Answer of ``rpc``: the node's ``result``, or its ``error`` with the data of a contract that refused."""

    jsonrpc: Literal["2.0"] = "2.0"
    id: int | str
    result: JsonValue = None
    error: dict[str, JsonValue] | None = None
