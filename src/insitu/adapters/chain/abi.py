"""Read a contract's ABI: its functions, events and errors, and the Python values of its types.

Encoding follows Solidity's contract ABI specification and is done by eth-abi. A node's answers are untrusted: anything
that does not fit the ABI raises ``ContractMismatch``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError

from insitu.adapters.chain.bindings import structs
from insitu.domain.canonical import keccak256
from insitu.domain.errors import InsituError
from insitu.domain.ids import read_address

T = TypeVar("T")
Entry = Mapping[str, Any]

_MISFIT = (DecodingError, OverflowError, ValueError)


def _same(value: Any) -> Any:
    return value


def _bytes_of(value: Any) -> Any:
    """Return bytes as they are, or converted from 0x and hexadecimal digits, as the domain's documents write them."""
    return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of the ABI.

    Attributes
    ----------
    name
        As in signatures: ``uint256``, ``(bytes32,address[])``.
    read
        Converts what eth-abi decoded to a Python value.
    write
        Converts such a value to what eth-abi encodes.
    """

    name: str
    read: Callable[[Any], Any]
    write: Callable[[Any], Any] = _same


_PLAIN: Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "address": (read_address, _same),
    "bool": (bool, _same),
    "bytes": (bytes, _bytes_of),
    "string": (lambda raw: str(raw, "utf-8", "replace"), _same),
    "uint": (int, _same),
}
"""How to read and write the types of our contracts, without their sizes."""


def _kind(parameter: Entry) -> Kind:
    name: str = parameter["type"]
    if name.endswith("[]"):
        item = _kind({**parameter, "type": name.removesuffix("[]")})
        return Kind(
            f"{item.name}[]",
            lambda values: tuple(map(item.read, values)),
            lambda values: [item.write(value) for value in values],
        )
    return _struct(parameter) if name == "tuple" else Kind(name, *_PLAIN[name.rstrip("0123456789")])


def _struct(parameter: Entry) -> Kind:
    """Return the kind of a struct: written from a tuple, read as its dataclass if the bindings have one."""
    members = _kinds(parameter["components"])
    declared = parameter["internalType"].removeprefix("struct ").removesuffix("[]")
    made = vars(structs).get(declared.rpartition(".")[2], lambda *values: values)

    def write(values: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(member.write(item) for member, item in zip(members, values, strict=True))

    name = f"({','.join(member.name for member in members)})"
    return Kind(name, lambda values: made(*_read(members, values)), write)


def _kinds(parameters: Sequence[Entry]) -> tuple[Kind, ...]:
    return tuple(map(_kind, parameters))


def _read(kinds: Sequence[Kind], values: Sequence[Any]) -> list[Any]:
    return [kind.read(value) for kind, value in zip(kinds, values, strict=True)]


def _decode(kinds: Sequence[Kind], data: bytes) -> list[Any]:
    """Decode values. A contract's string may have any bytes, so it is decoded as bytes, and the kind reads it."""
    return _read(kinds, decode([kind.name.replace("string", "bytes") for kind in kinds], data))


def encode_arguments(what: str, kinds: Sequence[Kind], arguments: Sequence[object]) -> bytes:
    """Encode the arguments of a function or constructor, which errors call ``what``. Raises ``InternalError``."""
    if len(kinds) != len(arguments):
        raise InsituError("InternalError", f"{what} takes {len(kinds)} arguments, not {len(arguments)}")
    try:
        values = [kind.write(value) for kind, value in zip(kinds, arguments, strict=True)]
        return encode([kind.name for kind in kinds], values)
    except (EncodingError, ValueError, TypeError) as error:
        raise InsituError("InternalError", f"{what}: {error}") from None


@dataclass(frozen=True, slots=True)
class Function:
    """A function of an ABI. Calling it gives an :class:`Invocation`."""

    name: str
    selector: bytes
    inputs: tuple[Kind, ...]
    outputs: tuple[Kind, ...]

    def __call__(self, *arguments: object) -> "Invocation[Any]":
        """Bind arguments; the generated functions that do this declare their types."""
        return Invocation(self, arguments)


@dataclass(frozen=True, slots=True)
class Invocation(Generic[T]):
    """A function with its arguments, ready to be sent as a transaction or called as a view."""

    function: Function
    arguments: tuple[object, ...]

    @property
    def data(self) -> bytes:
        """The call data. Raises ``InternalError`` if the arguments do not fit the ABI."""
        function = self.function
        return function.selector + encode_arguments(function.name, function.inputs, self.arguments)

    def result(self, answer: bytes) -> T:
        """Read the node's answer: nothing, a value, or several in a tuple.

        Raises ``ContractMismatch`` if it does not fit the ABI.
        """
        try:
            values = _decode(self.function.outputs, answer)
        except (*_MISFIT, InsituError):
            detail = f"the answer to {self.function.name} has {len(answer)} bytes that do not fit the ABI"
            raise InsituError("ContractMismatch", detail) from None
        result: Any = tuple(values) if len(values) > 1 else next(iter(values), None)
        return result  # type: ignore[no-any-return]  # the generated functions declare it


@dataclass(frozen=True, slots=True)
class Log:
    """How an event is written to the log.

    Attributes
    ----------
    topic
        The log's first topic.
    parameters
        The name of each, its kind, and whether it is indexed: indexed values are topics, the others follow each other
        in the data.
    """

    name: str
    topic: bytes
    parameters: tuple[tuple[str, Kind, bool], ...]

    def values(self, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        """Return the values of a log by their names. Raises ``ContractMismatch`` if it does not fit."""
        indexed = [(name, kind) for name, kind, is_topic in self.parameters if is_topic]
        plain = [(name, kind) for name, kind, is_topic in self.parameters if not is_topic]
        try:
            found = {name: _decode([kind], topic)[0] for (name, kind), topic in zip(indexed, topics[1:], strict=True)}
            rest = _decode([kind for _, kind in plain], data)
        except (*_MISFIT, InsituError):
            detail = f"a log of {self.name} does not fit the ABI of our contracts"
            raise InsituError("ContractMismatch", detail) from None
        return found | dict(zip((name for name, _ in plain), rest, strict=True))


@dataclass(frozen=True, slots=True)
class CustomError:
    """A custom error that a contract reverts with."""

    name: str
    selector: bytes
    parameters: tuple[tuple[str, Kind], ...]

    def arguments(self, body: bytes) -> dict[str, Any]:
        """Return the values after the selector, by name. Raises ``ContractMismatch`` if they do not fit."""
        try:
            values = _decode([kind for _, kind in self.parameters], body)
        except (*_MISFIT, InsituError):
            detail = f"{self.name} comes with {len(body)} bytes that do not fit the ABI"
            raise InsituError("ContractMismatch", detail) from None
        return {name: value for (name, _), value in zip(self.parameters, values, strict=True)}


@dataclass(frozen=True, slots=True)
class Abi:
    """What a contract has: its constructor's arguments, functions, events and custom errors."""

    constructor: tuple[Kind, ...]
    functions: tuple[Function, ...]
    logs: tuple[Log, ...]
    errors: tuple[CustomError, ...]


def read_abi(entries: Sequence[Entry]) -> Abi:
    """Read the entries of an ABI. Selectors and topics are hashes of the signatures."""
    constructor: tuple[Kind, ...] = ()
    functions, logs, errors = list[Function](), list[Log](), list[CustomError]()
    for entry in entries:
        name, inputs = entry.get("name", ""), entry["inputs"]
        kinds = _kinds(inputs)
        hashed = keccak256(f"{name}({','.join(kind.name for kind in kinds)})".encode())
        match entry["type"]:
            case "constructor":
                constructor = kinds
            case "function":
                functions.append(Function(name, hashed[:4], kinds, _kinds(entry["outputs"])))
            case "event":
                logs.append(
                    Log(name, hashed, tuple((value["name"], _kind(value), value["indexed"]) for value in inputs))
                )
            case "error":
                errors.append(CustomError(name, hashed[:4], tuple((value["name"], _kind(value)) for value in inputs)))
    return Abi(constructor, tuple(functions), tuple(logs), tuple(errors))
