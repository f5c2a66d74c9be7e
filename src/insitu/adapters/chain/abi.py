"""The parts of the generated bindings: types, functions, events and errors of a contract's ABI.

Encoding follows Solidity's contract ABI specification and is done by eth-abi; the generator (``scripts/bindings``)
writes the selectors and topics. A node's answers are untrusted: anything that does not fit the ABI raises
``ContractMismatch``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError

from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, read_address

__all__ = [
    "ADDRESS",
    "BOOL",
    "BYTES",
    "BYTES1",
    "BYTES4",
    "BYTES32",
    "STRING",
    "UINT8",
    "UINT24",
    "UINT32",
    "UINT40",
    "UINT48",
    "UINT128",
    "UINT256",
    "CustomError",
    "Event",
    "Function",
    "Invocation",
    "Kind",
    "Results",
    "array",
    "constructor_arguments",
    "events",
    "members",
    "nothing",
    "one",
    "several",
    "struct",
]

T = TypeVar("T")

_MISFIT = (DecodingError, OverflowError, ValueError)


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
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
    read: Callable[[Any], T]
    write: Callable[[Any], Any] = _same

    @property
    def decoded(self) -> str:
        """The type to decode as: a contract's string may have any bytes, so :attr:`read` decodes it."""
        return self.name.replace("string", "bytes")


def _bytes_of(value: Any) -> Any:
    """Return bytes as they are, or converted from 0x and hexadecimal digits, as the domain's documents write them."""
    return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else value


ADDRESS: Kind[Address] = Kind("address", read_address)
BOOL: Kind[bool] = Kind("bool", bool)
STRING: Kind[str] = Kind("string", lambda raw: str(raw, "utf-8", "replace"))
BYTES: Kind[bytes] = Kind("bytes", bytes, _bytes_of)
BYTES1: Kind[bytes] = Kind("bytes1", bytes, _bytes_of)
BYTES4: Kind[bytes] = Kind("bytes4", bytes, _bytes_of)
BYTES32: Kind[bytes] = Kind("bytes32", bytes, _bytes_of)
UINT8: Kind[int] = Kind("uint8", int)
"""Solidity's enumerations have this type too."""
UINT24: Kind[int] = Kind("uint24", int)
UINT32: Kind[int] = Kind("uint32", int)
UINT40: Kind[int] = Kind("uint40", int)
UINT48: Kind[int] = Kind("uint48", int)
UINT128: Kind[int] = Kind("uint128", int)
UINT256: Kind[int] = Kind("uint256", int)


def array(item: Kind[T]) -> Kind[tuple[T, ...]]:
    """Any number of values of one type."""
    return Kind(
        f"{item.name}[]",
        lambda values: tuple(map(item.read, values)),
        lambda values: [item.write(value) for value in values],
    )


def struct(kind: type[T], *members: Kind[Any]) -> Kind[T]:
    """A struct, read as the dataclass ``kind``; written from such a value, or from its members in a tuple."""
    names = [member.name for member in fields(cast("Any", kind))]

    def read(values: Sequence[Any]) -> T:
        return kind(*(member.read(value) for member, value in zip(members, values, strict=True)))

    def write(value: Any) -> tuple[Any, ...]:
        values = [getattr(value, name) for name in names] if isinstance(value, kind) else value
        return tuple(member.write(item) for member, item in zip(members, values, strict=True))

    return Kind(f"({','.join(member.name for member in members)})", read, write)


@dataclass(frozen=True, slots=True)
class Results(Generic[T]):
    """What a function returns: the types on the wire, and how to combine their values."""

    kinds: tuple[Kind[Any], ...]
    of: Callable[[list[Any]], T]

    def read(self, data: bytes) -> T:
        """Decode a result. Raises the errors of eth-abi and of the kinds if it does not fit."""
        decoded = decode([kind.decoded for kind in self.kinds], data)
        return self.of([kind.read(value) for kind, value in zip(self.kinds, decoded, strict=True)])


def nothing() -> Results[None]:
    """No results."""
    return Results((), lambda _: None)


def one(kind: Kind[T]) -> Results[T]:
    """A single result."""
    return Results((kind,), lambda values: values[0])


def several(*kinds: Kind[Any]) -> Results[Any]:
    """Several results, as a tuple whose type the bindings declare."""
    return Results(kinds, tuple)


@dataclass(frozen=True, slots=True)
class Function(Generic[T]):
    """A function of an ABI; ``selector`` has 8 hexadecimal digits. Calling it gives an :class:`Invocation`."""

    name: str
    selector: str
    inputs: tuple[Kind[Any], ...]
    results: Results[T]

    def __call__(self, *arguments: object) -> "Invocation[T]":
        """Bind arguments; the generated functions that call this declare their types."""
        return Invocation(self, arguments)


@dataclass(frozen=True, slots=True)
class Invocation(Generic[T]):
    """A function with its arguments, ready to be sent as a transaction or called as a view."""

    function: Function[T]
    arguments: tuple[object, ...]

    @property
    def data(self) -> bytes:
        """The call data. Raises ``InternalError`` if the arguments do not fit the ABI."""
        function = self.function
        return bytes.fromhex(function.selector) + _encode(function.name, function.inputs, self.arguments)

    def result(self, answer: bytes) -> T:
        """Read the node's answer. Raises ``ContractMismatch`` if it does not fit the ABI."""
        try:
            return self.function.results.read(answer)
        except (*_MISFIT, InsituError):
            detail = f"the answer to {self.function.name} has {len(answer)} bytes that do not fit the ABI"
            raise InsituError("ContractMismatch", detail) from None


def constructor_arguments(contract: str, kinds: Sequence[Kind[Any]], arguments: Sequence[object]) -> bytes:
    """Return the bytes after the bytecode in the transaction that creates a contract. Raises ``InternalError``."""
    return _encode(f"constructor of {contract}", kinds, arguments)


def _encode(what: str, kinds: Sequence[Kind[Any]], arguments: Sequence[object]) -> bytes:
    if len(kinds) != len(arguments):
        raise InsituError("InternalError", f"{what} takes {len(kinds)} arguments, not {len(arguments)}")
    try:
        values = [kind.write(value) for kind, value in zip(kinds, arguments, strict=True)]
        return encode([kind.name for kind in kinds], values)
    except (EncodingError, ValueError, TypeError) as error:
        raise InsituError("InternalError", f"{what}: {error}") from None


class Event:
    """The base of every event of the bindings: a frozen dataclass of the values in a log.

    ``TOPIC`` is the log's first topic. ``LAYOUT`` has, for each member in order, its kind and whether it is indexed:
    indexed values are topics, the others follow each other in the data.
    """

    __slots__ = ()

    TOPIC: ClassVar[bytes]
    LAYOUT: ClassVar[tuple[tuple[Kind[Any], bool], ...]]

    @classmethod
    def read(cls, topics: Sequence[bytes], data: bytes) -> Self:
        """Read a log that starts with :attr:`TOPIC`. Raises ``ContractMismatch`` if it does not fit."""
        try:
            return cls(*cls._values(topics[1:], data))
        except (*_MISFIT, InsituError, StopIteration):
            detail = f"a log of {cls.__name__} does not fit the ABI of our contracts"
            raise InsituError("ContractMismatch", detail) from None

    @classmethod
    def _values(cls, topics: Sequence[bytes], data: bytes) -> list[Any]:
        indexed = [kind for kind, is_topic in cls.LAYOUT if is_topic]
        plain = decode([kind.decoded for kind, is_topic in cls.LAYOUT if not is_topic], data)
        words = [decode([kind.decoded], topic)[0] for kind, topic in zip(indexed, topics, strict=True)]
        rest, found = iter(plain), iter(words)
        return [kind.read(next(found if is_topic else rest)) for kind, is_topic in cls.LAYOUT]


@dataclass(frozen=True, slots=True)
class CustomError:
    """A custom error that a contract reverts with; ``selector`` has 8 hexadecimal digits."""

    name: str
    selector: str
    parameters: tuple[tuple[str, Kind[Any]], ...]

    def arguments(self, body: bytes) -> dict[str, Any]:
        """Return the values after the selector, by name. Raises ``ContractMismatch`` if they do not fit."""
        kinds = [kind for _, kind in self.parameters]
        try:
            decoded = decode([kind.decoded for kind in kinds], body)
            values = [kind.read(value) for kind, value in zip(kinds, decoded, strict=True)]
        except (*_MISFIT, InsituError):
            detail = f"{self.name} comes with {len(body)} bytes that do not fit the ABI"
            raise InsituError("ContractMismatch", detail) from None
        return {name: value for (name, _), value in zip(self.parameters, values, strict=True)}


def members(kind: type[T], module: Mapping[str, object]) -> tuple[T, ...]:
    """Return the functions or the errors that a module of bindings declares, in its order."""
    return tuple(value for value in module.values() if isinstance(value, kind))


def events(module: Mapping[str, object]) -> tuple[type[Event], ...]:
    """Return the events that a module of bindings declares, in its order."""
    return tuple(kind for kind in members(type, module) if issubclass(kind, Event) and kind is not Event)
