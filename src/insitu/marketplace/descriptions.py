"""What a document says about its asset, read leniently and made harmless: any member may be missing or anything."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from insitu.domain.asset import ALGORITHM, DATASET, DEFAULT_LICENSE, WORKFLOW
from insitu.domain.compute_service import ComputeService, read_compute_service
from insitu.domain.ddo import Ddo
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.ids import read_address
from insitu.domain.media_types import SUFFIXES
from insitu.domain.service import File
from insitu.domain.timestamps import is_document_time, parse_time
from insitu.marketplace.hostile import link_of, name_of, shown
from insitu.marketplace.words.parts import counted, short_size

RESULT = "result"
KINDS: Mapping[str, str] = {
    DATASET: "Data set", ALGORITHM: "Algorithm", WORKFLOW: "Workflow", RESULT: "Result",
}  # fmt: skip
MOST_TAGS = 20
MOST_FILES = 1000


@dataclass(frozen=True, slots=True)
class Offer:
    """A compute service: its index, where it is called, and what it says; None if that is unreadable."""

    index: int | None
    gateway: str | None
    service: ComputeService | None


@dataclass(frozen=True)
class Description:
    """A document, as pages show it."""

    ddo: Ddo

    @property
    def did(self) -> str:
        """The DID; empty if it is none."""
        return did_of(self.ddo.id) or ""

    @property
    def name(self) -> str:
        """The name; never empty."""
        return name_of(self.ddo.main.get("name"))

    @property
    def type(self) -> str:
        """``dataset``, ``algorithm``, ``workflow``, or ``result``."""
        is_result = self.ddo.asset_type == DATASET and isinstance(self.ddo.main.get("compute"), dict)
        return RESULT if is_result else self.ddo.asset_type

    @property
    def kind(self) -> str:
        """The type in words."""
        return KINDS.get(self.type) or name_of(self.type, "Document")

    @property
    def text(self) -> str:
        """The description, raw."""
        found = self.additional.get("description") or self.ddo.main.get("description")
        return found if isinstance(found, str) else ""

    @property
    def author(self) -> str:
        """Who the document says made it; empty if that is only an address."""
        author = shown(self.ddo.main.get("author"), 80)
        return "" if account_of(author) else author

    @property
    def creator(self) -> str | None:
        """The account that created it."""
        return account_of(self.ddo.proof.creator) if self.ddo.proof is not None else None

    @property
    def license(self) -> tuple[str, str | None]:
        """The license, and an address to which it links."""
        text = self.ddo.main.get("license")
        return (shown(text, 200) if text != DEFAULT_LICENSE else "", link_of(text))

    @property
    def tags(self) -> tuple[str, ...]:
        """Its tags."""
        found = [*_list(self.additional.get("tags")), *_list(self.ddo.main.get("tags"))]
        texts = (shown(tag, 40) for tag in found if isinstance(tag, str))
        return tuple(dict.fromkeys(text for text in texts if text))[:MOST_TAGS]

    @property
    def published(self) -> datetime | None:
        """When the document says that it was published."""
        said = self.ddo.main.get("datePublished") or self.ddo.created
        return parse_time(str(said)) if is_document_time(said) else None

    @cached_property
    def additional(self) -> Mapping[str, Any]:
        """``additionalInformation``."""
        attributes = self.ddo.metadata.attributes if self.ddo.metadata is not None else None
        return (attributes.additional_information if attributes is not None else None) or {}

    @cached_property
    def files(self) -> tuple[File, ...]:
        """Its files, as far as they are readable."""
        return tuple(_files(_list(self.ddo.main.get("files"))[:MOST_FILES]))

    @cached_property
    def offers(self) -> tuple[Offer, ...]:
        """Its compute services."""
        return tuple(_offers(self.ddo))

    @property
    def offer(self) -> ComputeService | None:
        """The first compute service that is readable."""
        return next((offer.service for offer in self.offers if offer.service is not None), None)

    @property
    def successor(self) -> str | None:
        """The DID that the owner names as its successor."""
        said = self.additional.get("successor")
        return did_of(said)

    @property
    def size(self) -> str:
        """The bytes of its files, if the document says them."""
        sizes = [file.size for file in self.files if file.size is not None]
        return short_size(sum(sizes)) if sizes else ""

    @property
    def contents(self) -> str:
        """How many files of which types: ``3 files, csv``."""
        if not self.files:
            return ""
        types = Counter(type_of(file) for file in self.files)
        names = [name for name, _ in types.most_common(3) if name]
        return ", ".join([counted(len(self.files), "file"), *names])


def type_of(file: File) -> str:
    """Return the type of a file in a word: a suffix that it usually has, else the media type."""
    media = (file.content_type or "").partition(";")[0].strip().lower()
    suffix = SUFFIXES.get(media, "").split(" ")[-1].removeprefix(".")
    return shown(suffix or media.rpartition("/")[2], 40)


def account_of(text: object) -> str | None:
    """Return an address in the case of EIP-55; None for any other text."""
    try:
        return read_address(text) if isinstance(text, str) else None
    except InsituError:
        return None


def did_of(text: object) -> str | None:
    """Return a DID in its usual form; None for any other text."""
    try:
        return str(Did.parse(text)) if isinstance(text, str) else None
    except InsituError:
        return None


def origin_of(endpoint: object) -> str | None:
    """Return the origin of an address: scheme, host and port; None if pages cannot call it."""
    address = link_of(endpoint)
    if address is None:
        return None
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _offers(ddo: Ddo) -> Iterable[Offer]:
    for service in ddo.compute_services:
        try:
            read = read_compute_service(service)
        except InsituError:
            read = None
        yield Offer(service.index, origin_of(service.service_endpoint), read)


def _files(entries: Iterable[object]) -> Iterable[File]:
    for entry in entries:
        try:
            yield File.read(entry)
        except InsituError:
            continue


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
