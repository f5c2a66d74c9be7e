"""Which calls a gateway passes on to its node for anybody: those that read our contracts, an account or a transaction.

Parameters are parsed and written again, so nothing reaches the node that is not described here.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, TypeAdapter, ValidationError

from insitu.domain.errors import InsituError
from insitu.domain.wire import WireRequest, first_problem

MAX_BLOCKS = 2000
"""The most blocks of one search for logs."""

_Hash = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{64}$")]
_Account = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{40}$")]
_Quantity = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{1,12}$")]
_BlockName = _Quantity | Literal["latest", "pending", "safe", "finalized", "earliest"]
_Topic = _Hash | Annotated[tuple[_Hash, ...], Field(max_length=16)] | None


class _ContractCall(WireRequest):
    """The first parameter of ``eth_call``. The node ends a call that uses more than ``gas``."""

    to: _Account
    data: Annotated[str, Field(pattern="^0x([0-9a-fA-F]{2})*$", max_length=32_768)] = "0x"
    sender: _Account | None = Field(default=None, alias="from")
    gas: Literal["0x989680"] = "0x989680"


class _LogFilter(WireRequest):
    """The parameter of ``eth_getLogs``."""

    address: _Account | Annotated[tuple[_Account, ...], Field(min_length=1, max_length=16)]
    from_block: _Quantity
    to_block: _BlockName = "latest"
    topics: Annotated[tuple[_Topic, ...], Field(max_length=4)] = ()


READ_METHODS: Mapping[str, TypeAdapter[Any]] = {
    "eth_blockNumber": TypeAdapter(tuple[()]),
    "eth_call": TypeAdapter(tuple[_ContractCall, _BlockName]),
    "eth_chainId": TypeAdapter(tuple[()]),
    "eth_gasPrice": TypeAdapter(tuple[()]),
    "eth_getBalance": TypeAdapter(tuple[_Account, _BlockName]),
    "eth_getBlockByNumber": TypeAdapter(tuple[_BlockName, Literal[False]]),
    "eth_getCode": TypeAdapter(tuple[_Account, _BlockName]),
    "eth_getLogs": TypeAdapter(tuple[_LogFilter]),
    "eth_getTransactionByHash": TypeAdapter(tuple[_Hash]),
    "eth_getTransactionCount": TypeAdapter(tuple[_Account, _BlockName]),
    "eth_getTransactionReceipt": TypeAdapter(tuple[_Hash]),
}
"""The parameters of each method."""


def parameters_for_node(
    method: str, parameters: Sequence[object], contracts: Collection[str], newest: int
) -> list[JsonValue]:
    """Return the parameters for the node.

    Parameters
    ----------
    contracts
        The addresses that may be called or searched.
    newest
        Number of the newest block.

    Raises ``ReadNotAllowed``, ``InvalidRequest``.
    """
    if method not in READ_METHODS:
        raise InsituError("ReadNotAllowed", f"{method[:60]!r} is not one of {', '.join(READ_METHODS)}")
    try:
        given = READ_METHODS[method].validate_python(parameters)
    except ValidationError as error:
        raise InsituError("InvalidRequest", f"params/{first_problem(error)}") from None
    if isinstance(given and given[0], _ContractCall):
        _require_ours([given[0].to], contracts)
    if isinstance(given and given[0], _LogFilter):
        _require_ours([given[0].address] if isinstance(given[0].address, str) else given[0].address, contracts)
        last = int(given[0].to_block, 16) if given[0].to_block.startswith("0x") else newest
        if last - int(given[0].from_block, 16) >= MAX_BLOCKS:
            raise InsituError("InvalidRequest", f"search piece by piece: at most {MAX_BLOCKS} blocks for each call")
    return list(READ_METHODS[method].dump_python(given, mode="json", exclude_none=True))


def _require_ours(addresses: Collection[str], contracts: Collection[str]) -> None:
    foreign = {address.lower() for address in addresses} - {contract.lower() for contract in contracts}
    if foreign:
        raise InsituError("ReadNotAllowed", f"{min(foreign)} is not one of this gateway's contracts")
