"""The form in which values cross a boundary: frozen models, ``snake_case`` in Python, ``camelCase`` in JSON."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel

__all__ = ["Time", "WireModel", "WireRequest", "rfc3339"]


def rfc3339(moment: datetime) -> str:
    """Write an aware time as RFC 3339 in UTC with milliseconds and ``Z``."""
    from datetime import UTC

    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


Time = Annotated[AwareDatetime, PlainSerializer(rfc3339, when_used="json")]
"""An aware time; JSON has it as RFC 3339 in UTC with milliseconds."""


class WireModel(BaseModel):
    """A frozen value with a JSON form. Unknown members are ignored: an answer of a newer server must be readable."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        extra="ignore",
    )


class WireRequest(WireModel):
    """A request: unknown members are refused, so a misspelt one is told and not silently dropped."""

    model_config = ConfigDict(extra="forbid")
