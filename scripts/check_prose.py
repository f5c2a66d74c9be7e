"""Refuse phrases that nobody would say, and references to documents that readers do not have.

CONTRIBUTING.md has the rules of language; this finds what a machine can find of them. The code of a page,
between backticks or in a block, is not checked.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PROSE = {
    r"(?:it|this|that|which|what|who) (?:is|are) no (?!longer|more|less|better|worse|different)[a-z]": "is not a",
    r"mend(?:s|ed|ing)?": "fix, repair",
    r"for ever": "forever, permanently",
    r"anew": "again",
    r"inside of": "inside",
    r"to be had": "available",
    r"is to be (?:done|said)": "there is … to do",
    r"tells? whether": "return whether, say whether",
    r"buyers?|sellers?": "consumer, owner, provider",
    r"(?:data|it|they|files?|images?|results?|logs?|blobs?) (?:lies?|lay)": "is, are, lives",
    r"gone on with": "continued, resumed",
}
"""What is refused (letters of either case, whole words, over the end of a line) → what to write instead."""

EXACT = {
    r", too(?=[.,;:)]|$)": "no comma before too, or also",
    r"(?:(?<=[.;:] )|(?<=^)|(?<=\n\n)|(?<=^\* ))Who (?![^.]*\?)": "anyone who, if you",
}

NOWHERE = re.compile(r"design §")
NOT_READ = {"scripts/check_prose.py"}
GENERATED = re.compile(r"docs/reference/(?:cli|errors|phases|settings)\.md|contracts/docs/|tests/")
CODE = re.compile(r"(?ms)^(```|~~~).*?^\1|``[^`]+``|`[^`\n]*`")


def committed() -> Iterator[Path]:
    """Yield the files that git tracks or would track."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    yield from (path for name in sorted(listing.split("\0")) if name and (path := ROOT / name).is_file())


def prose(path: Path, text: str) -> str:
    """Return what is read of a file, with as many lines as it has: of a page everything but its code."""
    if path.suffix == ".md":
        return CODE.sub(lambda code: "\n" * code.group().count("\n"), text)
    return text


def found(path: Path) -> Iterator[str]:
    """Yield what is wrong in a file, with its line."""
    name = str(path.relative_to(ROOT))
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return
    if not read(path, name):
        return
    for match in NOWHERE.finditer(text):
        yield f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}: no reader has this document"
    text = prose(path, text)
    for pattern, better in PATTERNS:
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{name}:{line}: {' '.join(match.group().split())!r}: write {better}"


def read(path: Path, name: str) -> bool:
    """Return whether the prose of a file is checked."""
    return path.suffix == ".md" and not GENERATED.match(name)


def compiled(pattern: str) -> str:
    """Let a space of a pattern be the end of a line, with the indentation or comment sign of the next one."""
    return pattern.replace(" ", r"(?:\s|[#*/])+")


PATTERNS = [(re.compile(rf"(?im)\b(?:{compiled(pattern)})\b"), better) for pattern, better in PROSE.items()] + [
    (re.compile(rf"(?m){pattern}"), better) for pattern, better in EXACT.items()
]


def main() -> int:
    """Print everything that is wrong; the exit code says whether there was anything."""
    wrong = [line for path in committed() if str(path.relative_to(ROOT)) not in NOT_READ for line in found(path)]
    print("\n".join(wrong) or "nothing found")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
