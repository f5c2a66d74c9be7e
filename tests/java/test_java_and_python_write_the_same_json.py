"""Python and Java read the same texts, refuse the same, and write the same canonical form: on random documents."""

import json
import math
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from insitu.domain.canonical import canonical_json
from insitu.domain.errors import InsituError
from insitu.domain.json_text import read_json
from tests.java.packages import run_java

pytestmark = [pytest.mark.needs("java"), pytest.mark.slow]

CANONICAL = Path(__file__).parent / "programs" / "Canonical.java"
DOCUMENTS = 3_000
TEXTS = ["", "a", "ß", "€", "\U0001f600", "\ufb33", "\x00", "\x1f", "\x7f", '"', "\\", "/", "\u2028", "\r", "\ud800"]


def _number(chance: random.Random) -> float:
    """A number of any size, also one that is refused; never infinite, which JSON cannot write."""
    value: float = struct.unpack("<d", chance.randbytes(8))[0]
    kinds: tuple[Callable[[], float], ...] = (
        lambda: value if math.isfinite(value) else 0.5,
        lambda: chance.randint(-(2**53), 2**53),
        lambda: chance.choice([0, -0.0, 2**53 - 1, 2**53, 1e21, 1e-7, 1e-6, 5e-324]),
        lambda: round(chance.uniform(-1000, 1000), chance.randint(0, 9)),
    )
    return chance.choice(kinds)()


def _text(chance: random.Random) -> str:
    return "".join(chance.choices(TEXTS, weights=[5] * (len(TEXTS) - 1) + [0.1], k=chance.randint(0, 4)))


def _document(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.randrange(7 if depth < 5 else 5)
    if kind < 5:
        return (None, chance.random() < 0.5, _number(chance), _text(chance), _text(chance))[kind]
    if kind == 5:
        return [_document(chance, depth + 1) for _ in range(chance.randint(0, 4))]
    return {_text(chance): _document(chance, depth + 1) for _ in range(chance.randint(0, 4))}


def _damaged(chance: random.Random, text: str) -> str:
    """The text, or the text with one character more, less or changed."""
    if chance.random() < 0.5:
        return text
    at = chance.randrange(len(text) + 1)
    put = chance.choice(["", ",", '"', "0", "}", "[", "e", "-", " ", ".", "\\", ":"])
    return text[:at] + put + text[at + chance.randint(0, 1) :]


def _in_python(text: str) -> str:
    try:
        return canonical_json(read_json(text)).decode("utf-8")
    except (InsituError, ValueError):  # a ValueError is what text that is not JSON causes
        return "InvalidDocument"


def test_python_and_java_agree_about_random_texts(tmp_path: Path) -> None:
    chance = random.Random(13)
    texts = [_damaged(chance, json.dumps(_document(chance))) for _ in range(DOCUMENTS)]
    path = tmp_path / "texts"
    path.write_text("\n".join(texts) + "\n", "utf-8")
    told = run_java(CANONICAL, str(path)).removesuffix("\n").split("\n")  # and at nothing else that ends a line
    expected = [_in_python(text) for text in texts]
    assert len(told) == len(expected)
    differing = [
        (text, ours, theirs) for text, ours, theirs in zip(texts, expected, told, strict=True) if ours != theirs
    ]
    assert not differing[:5]
    refused = expected.count("InvalidDocument")
    assert DOCUMENTS * 0.1 < refused < DOCUMENTS * 0.9
