"""A theme: a folder that gives these pages another name, logo, colours and texts, without building anything again.

``theme.toml`` in the folder::

    name = "Health data of the north"
    logo = "logo.svg"           # SVG, PNG or WebP beside it, at most 64 kB

    [light]                     # colours by token, each #rrggbb; what is not named stays as it is
    accent = "#0b5d4a"

    [dark]
    accent = "#7ad6bd"

    [texts]
    title = "Data of the north"
    lead = "What this marketplace is for."
    foot = "Run by the data office, data@north.example"
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from insitu.domain.errors import InsituError

FILE = "theme.toml"
MOST_LOGO = 64 * 1024
"""Bytes."""

Token = Literal["paper", "sheet", "line", "edge", "ink", "soft", "accent", "on-accent", "good", "warn"]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]

LIGHT: Mapping[Token, str] = {
    "paper": "#ffffff", "sheet": "#f4f5f4", "line": "#d8dcda", "edge": "#737b78", "ink": "#15191a", "soft": "#515a57",
    "accent": "#1d4f91", "on-accent": "#ffffff", "good": "#1b6a3b", "warn": "#a03a00",
}  # fmt: skip
DARK: Mapping[Token, str] = {
    "paper": "#121615", "sheet": "#1b201f", "line": "#363e3b", "edge": "#86908c", "ink": "#e9eceb", "soft": "#a9b2af",
    "accent": "#8fbcf5", "on-accent": "#0d1720", "good": "#7fcf9b", "warn": "#f3a57c",
}  # fmt: skip
"""The colours of the stylesheet; a test compares them."""

_TEXTS: tuple[Token, ...] = ("ink", "soft", "accent", "good", "warn")
_GROUNDS: tuple[Token, ...] = ("paper", "sheet")
PAIRS: Mapping[tuple[Token, Token], float] = {
    **{(text, ground): 4.5 for text in _TEXTS for ground in _GROUNDS},
    ("on-accent", "accent"): 4.5,
    ("edge", "paper"): 3.0,
}
"""Which colour stands on which, and the contrast that it needs (WCAG 2.2, 1.4.3 and 1.4.11)."""


class Texts(BaseModel):
    """Texts of the home page and of the foot of each page."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Annotated[str, Field(max_length=120)] = ""
    lead: Annotated[str, Field(max_length=600)] = ""
    foot: Annotated[str, Field(max_length=300)] = ""


class Theme(BaseModel):
    """What ``theme.toml`` says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    logo: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,60}\.(svg|png|webp)$")] | None = None
    light: dict[Token, Colour] = Field(default_factory=dict)
    dark: dict[Token, Colour] = Field(default_factory=dict)
    texts: Texts = Texts()

    def style(self) -> str:
        """Return the rules that set its colours on screens; print has black and white."""
        # A light colour would also hold in the dark, so for each of them the dark one is said again.
        dark = {token: colour for token, colour in DARK.items() if token in self.light} | self.dark
        rules = [("screen", self.light), ("screen and (prefers-color-scheme: dark)", dark)]
        return "".join(f"\n@media {where} {{ :root {{ {_properties(given)} }} }}" for where, given in rules if given)


def read_theme(folder: Path) -> tuple[Theme, bytes | None]:
    """Read a theme and its logo. Raises ``SettingsInvalid``, also for colours that nobody could read."""
    try:
        theme = Theme.model_validate(tomllib.loads((folder / FILE).read_text("utf-8")))
        logo = (folder / theme.logo).read_bytes() if theme.logo is not None else None
    except OSError as error:
        raise _invalid(f"{error.filename} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _invalid(f"{folder / FILE}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except ValueError as error:
        raise _invalid(f"{folder / FILE}: {error}") from error
    if logo is not None and len(logo) > MOST_LOGO:
        raise _invalid(f"{theme.logo} has {len(logo)} bytes, and a logo may have {MOST_LOGO}")
    for name, colours in (("light", {**LIGHT, **theme.light}), ("dark", {**DARK, **theme.dark})):
        _require_contrast(name, colours)
    return theme, logo


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _require_contrast(name: str, colours: Mapping[Token, str]) -> None:
    for (text, ground), needed in PAIRS.items():
        found = contrast(colours[text], colours[ground])
        if found < needed:
            detail = f"{name}: {text} {colours[text]} on {ground} {colours[ground]} has a contrast of {found:.2f}"
            raise _invalid(f"{detail}, and needs {needed}")


def _luminance(colour: str) -> float:
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _properties(colours: Mapping[Token, str]) -> str:
    return " ".join(f"--{token}: {colour};" for token, colour in colours.items())


def _invalid(detail: str) -> InsituError:
    return InsituError("SettingsInvalid", f"marketplace.theme: {detail}")
