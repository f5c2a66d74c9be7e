"""What cannot be seen in a stranger's text is shown by its number, the same in every language."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from insitu.domain.readable import visible
from insitu.marketplace.hostile import name_of, shown

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "unseen.json").read_text("utf-8"))


@pytest.mark.parametrize("case", VECTORS["texts"], ids=lambda case: ascii(case["shown"]))
def test_a_text_shows_what_cannot_be_seen(case: dict[str, str]) -> None:
    assert shown(case["text"], lines=True) == case["shown"]


@pytest.mark.parametrize("case", VECTORS["names"], ids=lambda case: ascii(case["name"]))
def test_a_name_can_be_seen(case: dict[str, str]) -> None:
    assert name_of(case["text"], "–") == case["name"]


def test_the_same_characters_are_shown_by_number() -> None:
    found = [code for code in range(0x110000) if visible(f"a{chr(code)}") != f"a{chr(code)}"]
    assert len(found) == VECTORS["characters"]["count"]
    digest = hashlib.sha256(" ".join(f"{code:x}" for code in found).encode()).hexdigest()
    assert digest == VECTORS["characters"]["sha256"]
