"""An asset for machines that read pages (schema.org), as JSON that no text can end early."""

import json

from markupsafe import Markup

from insitu.domain.asset import ALGORITHM
from insitu.domain.canonical import JsonObject
from insitu.marketplace.descriptions import Description
from insitu.marketplace.hostile import MOST, shown

TYPES = {ALGORITHM: "SoftwareSourceCode"}


def structured_data(described: Description, url: str) -> Markup:
    """Return JSON-LD for a ``<script type="application/ld+json">``."""
    kind = TYPES.get(described.type, "Dataset")
    text, license_ = shown(described.text, MOST, lines=True), described.license
    data: JsonObject = {
        "@context": "https://schema.org",
        "@type": kind,
        "@id": described.did,
        "identifier": described.did,
        "name": described.name,
        "url": url,
        "description": text,
        "keywords": list(described.tags),
        "license": license_[1] or license_[0],
        "creator": {"@type": "Thing", "name": described.author, "identifier": described.creator or ""},
        "datePublished": described.published.date().isoformat() if described.published is not None else "",
    }
    return script_json({name: value for name, value in data.items() if value not in ("", [])})


def script_json(data: JsonObject) -> Markup:
    """Return JSON that may stand inside a ``<script>``: nothing in it looks like the end of one."""
    text = json.dumps(data, ensure_ascii=True)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - no character in it that HTML would read
