"""What all documents share: they are read leniently, keep unknown fields, and are written back exactly.

A document that was read remembers its JSON, so a round trip changes nothing: not the aliases of older generations, not
unknown fields, not the form of a number. A document built in code uses the specification's current names.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    model_serializer,
    model_validator,
)
from pydantic.alias_generators import to_camel
from typing_extensions import override

from insitu.domain.canonical import MAX_SAFE_INTEGER, JsonObject, escape_pointer, plain_json
from insitu.domain.checks import MAX_PROBLEMS
from insitu.domain.errors import InsituError, Violation

Whole = Annotated[
    int,
    BeforeValidator(lambda value: None if isinstance(value, str | bool) else value),
    Field(ge=-MAX_SAFE_INTEGER, le=MAX_SAFE_INTEGER),
]
"""A whole number. Neither text of digits nor true is one, although pydantic would take both."""


class _Reading:
    """Validation context which says that the input is JSON from outside and must be kept."""


_READING = _Reading()


class Document(BaseModel):
    """A frozen part of a document of the specification: camelCase in JSON, snake_case in Python."""

    model_config = ConfigDict(frozen=True, extra="allow", alias_generator=to_camel, populate_by_name=True)

    _source: JsonObject | None = PrivateAttr(default=None)

    @classmethod
    def read(cls, value: object, pointer: str = "") -> Self:
        """Read a document from JSON, leniently: unknown fields are kept and aliases are understood.

        ``value`` comes from ``json.loads`` and is copied; ``pointer`` says where it is in a larger document. Raises
        ``InvalidDocument`` with a JSON pointer for each field that cannot be read.
        """
        plain = plain_json(value, pointer)
        try:
            return cls.model_validate(plain, context=_READING, by_alias=True, by_name=False)
        except ValidationError as error:
            problems = violations_of(error, plain, pointer)[:MAX_PROBLEMS]
            raise InsituError(
                "InvalidDocument", problems[0].message, pointer=problems[0].pointer, problems=problems
            ) from None

    def to_json(self) -> JsonObject:
        """Return the JSON of this document: what it was read from, or else what its fields say."""
        written: JsonObject = self.model_dump(mode="json", by_alias=True)
        return written

    def with_members(self, **members: object) -> Self:
        """Return a copy with these JSON members (camelCase names) replaced; ``None`` removes a member.

        Raises ``InvalidDocument`` if the result cannot be read.
        """
        changed = self.to_json()
        for name, value in members.items():
            if value is None:
                changed.pop(name, None)
            else:
                changed[name] = json_of(value)
        return type(self).read(changed)

    @model_validator(mode="wrap")
    @classmethod
    def _keep_source(cls, data: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        document = handler(data)
        if isinstance(info.context, _Reading) and isinstance(data, dict):
            document._source = data  # noqa: SLF001, a document of this class
        return document

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> JsonObject:
        if self._source is not None:
            return deepcopy(self._source)
        return {name: value for name, value in handler(self).items() if value is not None}

    @override
    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy the document. A copy with changed fields forgets the JSON it was read from."""
        copied = super().model_copy(update=update, deep=deep)
        if update:
            copied._source = None  # noqa: SLF001, a document of this class
        return copied

    @override
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Document):
            return NotImplemented
        return type(other) is type(self) and self.to_json() == other.to_json()

    @override
    def __hash__(self) -> int:
        return hash((type(self), *sorted(self.to_json())))


def json_of(value: object) -> Any:
    """Return the JSON of a document, of a mapping or sequence with documents in it, or of a scalar."""
    if isinstance(value, Document):
        return value.to_json()
    if isinstance(value, Mapping):
        return {str(key): json_of(member) for key, member in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [json_of(item) for item in value]
    return value


def violations_of(error: ValidationError, value: object, pointer: str = "") -> list[Violation]:
    """Return the problems of a pydantic error as violations, each once, without repeating the input.

    ``value`` is the JSON that was validated, and ``pointer`` says where it is in its document.
    """
    found = [
        Violation(
            pointer=pointer + _pointer_in(value, problem["loc"], missing=problem["type"] == "missing"),
            code=_CODES.get(problem["type"], "WrongType"),
            message=problem["msg"].removeprefix("Value error, "),
        )
        for problem in error.errors(include_url=False, include_input=False)
    ]
    named = list(dict.fromkeys(found))[: 2 * MAX_PROBLEMS]
    # Of a value that may be a text or a list, pydantic also says that the list is no text.
    pointers = [violation.pointer for violation in named]
    above = {text[:end] for text in pointers for end in range(len(text)) if text[end] == "/"}
    return [violation for violation in named if violation.pointer not in above]


_CODES = {"missing": "Required", "value_error": "WrongFormat", "extra_forbidden": "UnknownField"}


def _pointer_in(value: Any, location: tuple[int | str, ...], *, missing: bool) -> str:
    """Return the JSON pointer of a pydantic location, without the branches of unions that it also names."""
    pointer = ""
    for position, part in enumerate(location):
        is_last = position == len(location) - 1
        is_item = isinstance(value, list) and isinstance(part, int) and part < len(value)
        if is_item or (isinstance(value, dict) and part in value):
            value = value[part]
        elif not (missing and is_last):
            continue
        pointer += f"/{escape_pointer(str(part))}"
    return pointer
