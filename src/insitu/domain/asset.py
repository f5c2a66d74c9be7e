"""`main` of the metadata service: what every asset says about itself (METADATA specification)."""

from __future__ import annotations

from typing import Any

from insitu.domain.document import Document
from insitu.domain.money import DocumentAmount
from insitu.domain.service import File

DATASET = "dataset"
ALGORITHM = "algorithm"
WORKFLOW = "workflow"

DEFAULT_LICENSE = "No License Specified"


class Asset(Document):
    """The attributes that all assets share; `price` in base units of the token."""

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
    """The `main` of an asset with what the METADATA specification requires filled in where it is absent.

    Args:
        metadata: what the publisher gives; `name` and `type` at least. It is not changed.
        created: time of now, as `timestamps.format_time` writes it.
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
