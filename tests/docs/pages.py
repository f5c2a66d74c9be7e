"""Reading the pages: their commands, their Python, and what they say that these print."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

_BLOCK = re.compile(r"(?ms)(?P<skip><!-- not run[^>]*-->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page that is run, and what the page says that it prints, if it says so."""

    page: str
    line: int
    language: str
    text: str
    printed: str | None = None


def blocks(page: str) -> list[Block]:
    """The blocks of a page that are run (`sh` and `python`); a `text` block belongs to the one before it."""
    content = (ROOT / page).read_text("utf-8")
    found: list[Block] = []
    skipped = False
    for match in _BLOCK.finditer(content):
        language, line = match["language"], content.count("\n", 0, match.start()) + 1
        if language in {"sh", "python"}:
            skipped = match["skip"] is not None
            if not skipped:
                found.append(Block(page, line, language, match["text"]))
        elif language == "text" and found and not skipped:
            last = found.pop()
            found.append(Block(last.page, last.line, last.language, last.text, match["text"]))
    return found


def says(printed: str, actual: str) -> bool:
    """Whether the output is what the page shows; `…` is anything, on a line of its own any lines or none."""
    pattern = ""
    for part in re.split(r"(\n…\n|…)", printed.strip()):
        pattern += {"\n…\n": r"\n(?:.*\n)?", "…": ".*"}.get(part, re.escape(part))
    return re.fullmatch(pattern, actual.strip(), re.DOTALL) is not None
