"""The parts of a sentence, and the small words around numbers."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from insitu.domain.money import display_amount
from insitu.domain.readable import duration, size
from insitu.ports.chain import TokenInfo


@dataclass(frozen=True, slots=True)
class Strong:
    """Words that carry the sentence."""

    text: str
    kind: str = "strong"


@dataclass(frozen=True, slots=True)
class Account:
    """An account, shown by its address."""

    address: str
    kind: str = "account"


@dataclass(frozen=True, slots=True)
class Named:
    """An asset that a document names; a page that knows its name shows that."""

    did: str
    kind: str = "asset"


@dataclass(frozen=True, slots=True)
class Quoted:
    """A stranger's words inside a sentence."""

    text: str
    kind: str = "quoted"


Part = str | Strong | Account | Named | Quoted
Sentence = tuple[Part, ...]

_UNITS = {"s": "second", "min": "minute", "h": "hour"}
_UNIT = re.compile(r"([0-9.]+) (s|min|h)\b")

MOST_NAMED = 20
"""Accounts or assets that a sentence names; it counts the others."""


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: ``1 file``, ``1,200 files``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def joined(words: Sequence[str], last: str = "and") -> str:
    """Return words as a list in a sentence: ``csv, png and txt``."""
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def naming(parts: Sequence[Part]) -> Iterable[Part]:
    """Yield the parts with commas between them; of many only the first, and how many more there are."""
    for position, part in enumerate(parts[:MOST_NAMED]):
        yield from (", ", part) if position else (part,)
    if len(parts) > MOST_NAMED:
        yield f" and {len(parts) - MOST_NAMED:,} more"


def amount(base_units: int, token: TokenInfo | None) -> str:
    """Return an amount with the token's decimals: ``5 NVM``; base units as long as nobody has said them."""
    if token is None:
        return f"{base_units} base units"
    return number(base_units, token) + "\u00a0" + token.symbol


def number(base_units: int, token: TokenInfo | None) -> str:
    """Return an amount without the name of its token."""
    return display_amount(base_units, token.decimals if token is not None else 0)


def short_size(bytes_: int) -> str:
    """Return a size for a sentence, without a fraction that says nothing: ``1 MB``, ``1.5 GB``."""
    return size(bytes_).replace(".0 ", " ").replace(" ", "\u00a0")


def spoken(seconds: float) -> str:
    """Return a length of time for a sentence: ``24 hours``, ``1 hour``, ``25 hours 10 minutes``."""
    return _UNIT.sub(lambda found: f"{found[1]} {_UNITS[found[2]]}{'' if found[1] == '1' else 's'}", duration(seconds))
