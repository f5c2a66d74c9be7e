"""``main`` of the metadata service: what every asset says about itself (METADATA specification)."""

from typing import Any

from insitu.domain.document import Document
from insitu.domain.money import DocumentAmount
from insitu.domain.service import File

DATASET = "dataset"
ALGORITHM = "algorithm"
WORKFLOW = "workflow"

DEFAULT_LICENSE = "No License Specified"


class Asset(Document):
    """The attributes that all assets share. ``price`` is in base units of the token."""

    name: str | None = None
    type: str | None = None
    date_created: str | None = None
    date_published: str | None = None
    author: str | None = None
    license: str | None = None
    price: DocumentAmount = 0
    files: tuple[File, ...] = ()
    algorithm: Any = None
    workflow: Any = None


def asset_main(metadata: dict[str, Any], created: str) -> dict[str, Any]:
    """Return ``main`` of an asset: the publisher's ``metadata``, with defaults for what the specification requires.

    ``created`` is the current time, as ``timestamps.format_time`` writes it.
    """
    defaults = {
        "type": DATASET,
        "dateCreated": created,
        "datePublished": created,
        "author": "",
        "license": DEFAULT_LICENSE,
        "price": "0",
        "files": [],
    }
    return defaults | metadata
