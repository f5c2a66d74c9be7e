"""The DID document (DDO): what an asset is, who published it, and which services it offers.

:func:`read_ddo` is lenient, because documents of several generations exist;
:func:`insitu.domain.validation.validate_ddo` is strict and comes before publishing, buying and executing.
"""

from typing import Any

from pydantic import AliasChoices, Field

from insitu.domain.canonical import JsonObject
from insitu.domain.did import Did
from insitu.domain.document import Document
from insitu.domain.errors import InsituError
from insitu.domain.service import COMPUTE, METADATA, Service

CONTEXT = "https://w3id.org/did/v1"


class PublicKey(Document):
    """A key of the publisher; ``owner`` is its address."""

    id: str | None = None
    type: str | None = None
    owner: str | None = None


class Origin(Document):
    """``proof.checksum`` of version 1, from which the DID derives."""

    checksum: dict[str, str] | None = None


class Proof(Document):
    """Who published the document and what the DID commits to.

    Attributes
    ----------
    checksum
        Service index (as a string) → checksum of the service's ``main``.
    origin
        What ``checksum`` was in version 1, if a later version changed a ``main``.
    signature_value
        0x and 130 hex digits; :mod:`insitu.domain.integrity` has what is signed.
    request
        In place of it: a signed request to the registry that registers this version
        (:class:`insitu.domain.signed_request.SignedRequest`).
    """

    type: str | None = None
    created: str | None = None
    creator: str | None = None
    signature_value: str | None = None
    request: JsonObject | None = None
    checksum: dict[str, str] | None = None
    origin: Origin | None = None


class Ddo(Document):
    """A DID document, or a fragment of one from an older source."""

    context: Any = Field(
        default=None, validation_alias=AliasChoices("@context", "context"), serialization_alias="@context"
    )
    id: str | None = None
    created: str | None = None
    updated: str | None = None
    public_key: tuple[PublicKey, ...] = ()
    authentication: tuple[JsonObject, ...] = ()
    service: tuple[Service, ...] = ()
    proof: Proof | None = None

    @property
    def did(self) -> Did:
        """The document's DID. Raises ``InvalidDid`` if it has no valid one."""
        return Did.read(self.id or "")

    @property
    def metadata(self) -> Service | None:
        """The service of type metadata, if there is one."""
        return next((service for service in self.service if service.type == METADATA), None)

    @property
    def main(self) -> JsonObject:
        """``main`` of the metadata service; empty if there is none."""
        return self.metadata.main if self.metadata is not None else {}

    @property
    def asset_type(self) -> str:
        """``dataset``, ``algorithm``, ``workflow``, …; empty if the document does not say."""
        kind = self.main.get("type")
        return kind if isinstance(kind, str) else ""

    @property
    def compute_services(self) -> tuple[Service, ...]:
        """The services of type compute in ascending index, those without an index last."""
        offered = (service for service in self.service if service.type == COMPUTE)
        return tuple(sorted(offered, key=lambda service: (service.index is None, service.index or 0)))

    def service_at(self, index: int) -> Service:
        """Return the service with this index (serviceDefinitionId). Raises ``ServiceNotFound``."""
        for service in self.service:
            if service.index == index:
                return service
        raise InsituError("ServiceNotFound", f"{self.id} has no service {index}", did=self.id, index=index)

    def compute_service(self, index: int | None = None) -> Service:
        """Return the compute service with this index, or the first one if no index is given.

        Raises ``ServiceNotFound``, ``NoComputeService``.
        """
        if index is not None:
            service = self.service_at(index)
            if service.type != COMPUTE:
                raise InsituError("ServiceNotFound", f"service {index} of {self.id} is not a compute service")
            return service
        if not self.compute_services:
            raise InsituError("NoComputeService", f"{self.id} offers no compute service", did=self.id)
        return self.compute_services[0]


def read_ddo(value: object) -> Ddo:
    """Read a DDO from JSON, leniently.

    Fragments, ``{}`` services, short DIDs, string indices, aliases and unknown fields are all accepted, and
    ``Ddo.to_json`` returns exactly what was read.

    Raises ``InvalidDocument`` with a JSON pointer for each member of the wrong JSON type.
    """
    return Ddo.read(value)
