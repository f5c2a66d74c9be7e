"""A service entry of a DDO: what the publisher offers at an endpoint, with its attributes."""

from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field

from insitu.domain.canonical import JsonObject
from insitu.domain.document import Document, Whole

METADATA = "metadata"
COMPUTE = "compute"
ACCESS = "access"

DEFAULT_INDICES = {METADATA: 0, "provenance": 1, "authorization": 2, ACCESS: 3, COMPUTE: 4}
"""The index that each type of service usually has."""


def _index(value: object) -> object:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9:
        return int(value)
    return value


Index = Annotated[Whole, BeforeValidator(_index), Field(ge=0, lt=2**32)]
"""An index. Older documents write it as a string of digits."""


class File(Document):
    """A file in ``main.files``. ``url`` appears only in the encrypted list, never in a published document."""

    index: Index | None = None
    name: str | None = None
    url: str | None = None
    content_type: str | None = None
    content_length: str | Whole | None = None
    checksum: str | None = None
    checksum_type: str | None = None
    encoding: str | None = None
    compression: str | None = None

    @property
    def sha256(self) -> str | None:
        """The content's SHA-256 as 64 lower-case hex characters, if the document gives one."""
        return sha256_of(self.checksum)

    @property
    def size(self) -> int | None:
        """The length in bytes, if the document gives a readable one."""
        text = str(self.content_length)
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else None


def sha256_of(checksum: str | None) -> str | None:
    """Return the 64 lower-case hex characters of a SHA-256 with or without ``sha256:``, or None if it is not one."""
    digits = (checksum or "").lower().removeprefix("sha256:").removeprefix("0x")
    is_hash = len(digits) == 64 and all(digit in "0123456789abcdef" for digit in digits)
    return digits if is_hash else None


class Attributes(Document):
    """The attributes of a service. The DID commits to ``main`` of version 1."""

    main: JsonObject = Field(default_factory=dict)
    additional_information: JsonObject | None = Field(
        default=None,
        validation_alias=AliasChoices("additionalInformation", "additional"),
        serialization_alias="additionalInformation",
    )
    curation: JsonObject | None = None
    encrypted_files: Any = None
    service_agreement_template: JsonObject | None = None


class Service(Document):
    """One entry of ``service[]``. ``{}`` is read as an empty entry.

    Attributes
    ----------
    index
        Also called serviceDefinitionId.
    template_id
        Address of the agreement's template contract; other forms in older documents.
    """

    index: Index | None = Field(
        default=None,
        validation_alias=AliasChoices("index", "serviceDefinitionId"),
        serialization_alias="index",
    )
    type: str | None = None
    service_endpoint: str | None = None
    template_id: str | None = None
    attributes: Attributes | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the entry is empty, as in the specification's own workflow example."""
        return not self.to_json()

    @property
    def main(self) -> JsonObject:
        """``attributes.main`` as JSON; empty if there is none."""
        return self.attributes.main if self.attributes is not None else {}

    @property
    def agreement_template(self) -> JsonObject | None:
        """``serviceAgreementTemplate``, from ``main`` as in the specification or from where older documents put it."""
        attributes = self.attributes or Attributes()
        places = (
            attributes.main.get("serviceAgreementTemplate"),
            attributes.service_agreement_template,
            (self.model_extra or {}).get("serviceAgreementTemplate"),
        )
        return next((place for place in places if isinstance(place, dict)), None)
